/** What was measured as rows: for the table on the terminal, for JSON and for the chart. */
import type { LoadResult, SliceKey } from './load.js';
import type { ServerName } from './servers.js';
import { summarize, type Summary } from './statistics.js';
import type { Figure, Target, Work } from './works.js';

export interface Row {
  readonly work: string;
  readonly title: string;
  readonly figure: string;
  readonly unit: string;
  readonly digits: number;
  readonly values: Readonly<Partial<Record<ServerName, Summary>>>;
  /** ours / pptpd, and floor / pptpd; null where one of them has no value, or 0. */
  readonly ratio: number | null;
  readonly floorRatio: number | null;
  readonly target: Target | null;
  /** The target, or nine tenths of the floor's ratio where that is less (DESIGN §5). */
  readonly reached: boolean | null;
}

/** All results of a work, by server, in the order of the runs. */
export type Results = ReadonlyMap<ServerName, readonly LoadResult[]>;

const OF_FLOOR = 0.9;

export const rowsOf = (work: Work, results: Results): Row[] =>
  work.figures.map((figure) => {
    const values: Partial<Record<ServerName, Summary>> = {};
    for (const [server, all] of results) {
      const summary = summarize(all.flatMap((result) => figure.from(result) ?? []));
      if (summary !== null) values[server] = summary;
    }
    const ratio = quotient(values.ours, values.pptpd);
    const floorRatio = quotient(values.floor, values.pptpd);
    const { title, unit, digits, target = null } = figure;
    const reached = isReached(figure, values.ours?.median ?? null, ratio, floorRatio);
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

function isReached(
  { target }: Figure,
  ours: number | null,
  ratio: number | null,
  floorRatio: number | null,
): boolean | null {
  const value = target?.of === 'ratio' ? ratio : ours;
  if (target === undefined || value === null) return null;
  const floor = target.of === 'ratio' ? floorRatio : null;
  if ('atLeast' in target) return value >= Math.min(target.atLeast, floor === null ? Infinity : floor * OF_FLOOR);
  return value <= Math.max(target.atMost, floor === null ? 0 : floor / OF_FLOOR);
}

const HEADINGS = ['work', '', 'ours', 'pptpd', 'floor', 'ours/pptpd', 'floor/pptpd', 'target', ''] as const;

const number = (value: number, digits: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });

const valueText = ({ unit, digits }: Row, summary: Summary | undefined): string =>
  summary === undefined
    ? ''
    : `${number(summary.median, digits)}${unit === '' || unit === '/s' ? '' : ` ${unit}`} ±${Math.round(summary.spread * 100)}%`;

export function targetText(target: Target | null): string {
  if (target === null) return '';
  const sign = 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
  return target.of === 'ratio' ? `${sign} ×` : sign;
}

const ratioText = (ratio: number | null): string => (ratio === null ? '' : ratio.toFixed(ratio < 10 ? 2 : 1));

/** The table in lines, columns aligned; headings first. */
export function table(rows: readonly Row[]): string {
  let last = '';
  const cells = rows.map((row) => {
    const title = row.title === last ? '' : row.title;
    last = row.title;
    const { ours, pptpd, floor } = row.values;
    return [
      title,
      row.figure,
      ...[ours, pptpd, floor].map((summary) => valueText(row, summary)),
      ratioText(row.ratio),
      ratioText(row.floorRatio),
      targetText(row.target),
      row.reached === null ? '' : row.reached ? 'reached' : 'MISSED',
    ];
  });
  const lines = [HEADINGS, ...cells];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
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
    ...(sum('lost') > 0 ? [`${sum('lost')} of ${sum('sent')} packets lost`] : []),
    ...(quiet < result.slices.length / 2 ? [`only ${quiet} of ${result.slices.length} slices were quiet`] : []),
  ];
}
