/**
 * What `--publish` leaves in docs/: every row with the runs it comes of, its table in two documents, and the chart. Rows
 * are merged, so that works can be measured in several goes; those of another machine are not kept.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { chart } from './chart.js';
import { fullTable, headlineTable } from './markdown.js';
import type { Row } from './report.js';
import { WORKS } from './works.js';

export interface PublishedRow extends Row {
  /** Day of the measurement, YYYY-MM-DD; how many runs of how many seconds each server had. */
  readonly measured: { readonly date: string; readonly runs: number; readonly seconds: number };
}

interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly kernel: string;
  readonly node: string;
}

export interface Publication {
  readonly machine: Machine;
  /** In the order of the works. */
  readonly rows: readonly PublishedRow[];
}

/** docs/bench-lab.json: what `npm run bench:lab` leaves. */
export interface LabPublication {
  readonly machine: Machine;
  readonly measured: { readonly date: string; readonly rounds: number };
  readonly rows: readonly Row[];
}

/** The command that the markers of the lab's table name. */
export const LAB_COMMAND = 'npm run bench:lab';

/** Documents with a table of the figures, by path; it stands between the markers. */
export const TABLES = {
  'docs/performance.md': fullTable,
  'README.md': headlineTable,
} as const satisfies Readonly<Record<string, (rows: readonly PublishedRow[]) => string>>;

export const thisMachine = (): Machine => ({
  processor: cpus()[0]?.model ?? '',
  processors: cpus().length,
  kernel: release(),
  node: process.version,
});

/** `before` with the works of `rows` in the place of its own; rows of works that are no more go too. */
export function merged(before: Publication | null, machine: Machine, rows: readonly PublishedRow[]): Publication {
  const measured = new Set(rows.map(({ work }) => work));
  const kept = before !== null && isDeepStrictEqual(before.machine, machine) ? before.rows : [];
  const all = [...kept.filter(({ work }) => !measured.has(work)), ...rows];
  return { machine, rows: WORKS.flatMap(({ id }) => all.filter(({ work }) => work === id)) };
}

/** `document` with `text` between the markers of the command that publishes it. Throws when it has none. */
export function filledIn(document: string, text: string, command = 'npm run bench'): string {
  const [first, last] = ['begin', 'end'].map((what) => `<!-- ${command} -- --publish: ${what} -->`) as [string, string];
  const [begin, end] = [document.indexOf(first), document.indexOf(last)];
  if (begin < 0 || end < begin) throw new Error(`a document has no place for its table: ${first}`);
  return `${document.slice(0, begin + first.length)}\n${text}\n${document.slice(end)}`;
}

export function readPublication(directory: string): Publication | null {
  const path = join(directory, 'bench.json');
  if (!existsSync(path)) return null;
  const publication: Publication = JSON.parse(readFileSync(path, 'utf8'));
  return publication;
}

/** Writes bench.json and bench.svg to `directory`, which is there. */
export function writePublication(directory: string, publication: Publication): void {
  writeFileSync(join(directory, 'bench.json'), `${JSON.stringify(publication, null, 2)}\n`);
  writeFileSync(join(directory, 'bench.svg'), chart(publication.rows));
}

export function writeTables(rows: readonly PublishedRow[]): void {
  for (const [path, tableOf] of Object.entries(TABLES)) {
    writeFileSync(path, filledIn(readFileSync(path, 'utf8'), tableOf(rows)));
  }
}
