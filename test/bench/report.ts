/** What was measured as rows: for the table on the terminal, for JSON and for the chart. */
import type { LoadResult, SliceKey } from './load.js';
import type { ServerName } from './servers.js';
import { summarize, type Summary } from './statistics.js';
import type { Measure, Target, Titled } from './works.js';

/** `at the floor`: not the target, but nine tenths of the floor's ratio. */
export type Reached = 'reached' | 'at the floor' | 'MISSED';

/** Only the lab can measure `kernel`, ours with the kernel's data path, and `peer`, another server given by its path. */
export type Column = ServerName | 'kernel' | 'peer';

export interface Row {
  readonly work: string;
  readonly title: string;
  readonly figure: string;
  readonly unit: string;
  readonly digits: number;
  readonly values: Readonly<Partial<Record<Column, Summary>>>;
  /** ours / pptpd, and floor / pptpd; null where one of them has no value, or 0. */
  readonly ratio: number | null;
  readonly floorRatio: number | null;
  readonly target: Target | null;
  readonly reached: Reached | null;
}

/** All results of a work, by server, in the order of the runs. */
export type Results<Result = LoadResult> = ReadonlyMap<Column, readonly Result[]>;

const OF_FLOOR = 0.9;

export const rowsOf = <Result = LoadResult>(work: Titled<Result>, results: Results<Result>): Row[] =>
  work.figures.map((figure) => {
    const values: Partial<Record<Column, Summary>> = {};
    for (const [server, all] of results) {
      const summary = summarize(all.flatMap((result) => figure.from(result) ?? []));
      if (summary !== null) values[server] = summary;
    }
    const ratio = quotient(values.ours, values.pptpd);
    const floorRatio = quotient(values.floor, values.pptpd);
    const { title, unit, digits, target = null } = figure;
    const reached = target === null ? null : reachedBy(target, measureOf(target.of, values), floorRatio);
    return {
      work: work.id,
      title: work.title,
      figure: title,
      unit,
      digits,
      values,
      ratio,
      floorRatio,
      target,
      reached,
    };
  });

function quotient(one: Summary | undefined, other: Summary | undefined): number | null {
  return one === undefined || other === undefined || other.median === 0 ? null : one.median / other.median;
}

type Values = Row['values'];

const MEASURES: Readonly<Record<Measure, (values: Values) => number | null>> = {
  ratio: ({ ours, pptpd }) => quotient(ours, pptpd),
  ours: ({ ours }) => ours?.median ?? null,
  builtin: ({ builtin }) => builtin?.median ?? null,
  'builtin/ours': ({ builtin, ours }) => quotient(builtin, ours),
  'builtin/pptpd': ({ builtin, pptpd }) => quotient(builtin, pptpd),
  'kernel/ours': ({ kernel, ours }) => quotient(kernel, ours),
  'kernel/pptpd': ({ kernel, pptpd }) => quotient(kernel, pptpd),
};

export const measureOf = (measure: Measure, values: Values): number | null => MEASURES[measure](values);

function reachedBy(target: Target, value: number | null, floorRatio: number | null): Reached | null {
  if (value === null) return null;
  const isGood = (limit: number): boolean => ('atLeast' in target ? value >= limit : value <= limit);
  if (isGood('atLeast' in target ? target.atLeast : target.atMost)) return 'reached';
  if (target.of !== 'ratio' || floorRatio === null) return 'MISSED';
  return isGood('atLeast' in target ? floorRatio * OF_FLOOR : floorRatio / OF_FLOOR) ? 'at the floor' : 'MISSED';
}

const HEADINGS = [
  'work',
  'figure',
  'kernel',
  'builtin',
  'ours',
  'base',
  'pptpd',
  'peer',
  'floor',
  'ours/pptpd',
  'ours/base',
  'floor/pptpd',
  'builtin/ours',
  'builtin/pptpd',
  'kernel/ours',
  'kernel/pptpd',
  'kernel/peer',
  'target',
  '',
] as const;

const number = (value: number, digits: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });

/** The median with its unit, and how far the runs are from it; '' when there is none. */
export function valueText({ unit, digits }: Row, summary: Summary | undefined, withSpread = true): string {
  if (summary === undefined) return '';
  const median = `${number(summary.median, digits)}${unit === '' || unit === '/s' ? '' : ` ${unit}`}`;
  return withSpread ? `${median} ±${Math.round(summary.spread * 100)}%` : median;
}

export function targetText(target: Target | null): string {
  if (target === null) return '';
  const sign = 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
  return target.of === 'ratio' || target.of.includes('/') ? `${sign} ×` : sign;
}

export const ratioText = (ratio: number | null): string => (ratio === null ? '' : ratio.toFixed(ratio < 10 ? 2 : 1));

/** Each row in words, as HEADINGS names them; a work's title stands in its first row alone. */
function cellsOf(rows: readonly Row[]): string[][] {
  let last = '';
  return rows.map((row) => {
    const title = row.title === last ? '' : row.title;
    last = row.title;
    const { kernel, builtin, ours, base, pptpd, peer, floor } = row.values;
    return [
      title,
      row.figure,
      ...[kernel, builtin, ours, base, pptpd, peer, floor].map((summary) => valueText(row, summary)),
      ratioText(row.ratio),
      ratioText(quotient(ours, base)),
      ratioText(row.floorRatio),
      ratioText(quotient(builtin, ours)),
      ratioText(quotient(builtin, pptpd)),
      ratioText(quotient(kernel, ours)),
      ratioText(quotient(kernel, pptpd)),
      ratioText(quotient(kernel, peer)),
      targetText(row.target),
      row.reached ?? '',
    ];
  });
}

/** Headings, then each row in words. Columns in which nothing stands are left out. */
export function wordsOf(rows: readonly Row[]): string[][] {
  const cells = cellsOf(rows);
  const isUsed = HEADINGS.map((_, column) => cells.some((line) => line[column] !== ''));
  return [[...HEADINGS], ...cells].map((line) => line.filter((_, column) => isUsed[column]));
}

/** The table in lines, columns aligned. */
export function table(rows: readonly Row[]): string {
  const lines = wordsOf(rows);
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What makes a run doubtful, in words: packets that were wrong or lost, slices left out, other processes in the way. */
export function doubts(result: LoadResult): string[] {
  if (!('slices' in result)) return [];
  const sum = (key: SliceKey): number => result.slices.reduce((total, slice) => total + slice[key], 0);
  const quiet = result.slices.filter(({ good }) => good).length;
  return [
    ...(sum('wrong') > 0 ? [`${sum('wrong')} WRONG packets`] : []),
    ...(result.wrongPackets ?? []).map((packet) => `WRONG: ${packet}`),
    ...(sum('lost') > 0 ? [`${sum('lost')} of ${sum('sent')} packets lost`] : []),
    ...(quiet < result.slices.length / 2 ? [`only ${quiet} of ${result.slices.length} slices were quiet`] : []),
  ];
}
