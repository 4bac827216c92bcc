/** The published figures as Markdown tables: all of them for docs/performance.md, a few for the README. */
import type { PublishedRow } from './publication.js';
import { cellsOf, HEADINGS, ratioText, type Row, targetText, valueText } from './report.js';
import { PACKETS_PER_SECOND } from './works.js';

function markdown(headings: readonly string[], lines: readonly (readonly string[])[]): string {
  const rule = headings.map((_, column) => (column === 0 ? '---' : '---:'));
  return [headings, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Every row, with spread, floor, and how many runs of each server it comes of. */
export function fullTable(rows: readonly PublishedRow[]): string {
  return markdown(
    [...HEADINGS, 'runs'],
    cellsOf(rows).map((cells, index) => [...cells, String(rows[index]?.measured.runs)]),
  );
}

/** Rows that know neither floor nor runs of their own: those of the lab. */
export function tunnelsTable(rows: readonly Row[]): string {
  return markdown(
    ['work', 'figure', 'ours', 'pptpd', 'ours/pptpd', 'target', ''],
    rows.map((row) => [
      row.title,
      row.figure,
      valueText(row, row.values.ours),
      valueText(row, row.values.pptpd),
      ratioText(row.ratio),
      targetText(row.target),
      row.reached ?? '',
    ]),
  );
}

/** The rows of the README, by their work and figure. */
const HEADLINES = [
  ['echo64', PACKETS_PER_SECOND],
  ['window1400', PACKETS_PER_SECOND],
  ['storm', 'served within 35 s'],
] as const;

/** What the README has of them. */
export function headlineTable(rows: readonly PublishedRow[]): string {
  const plain = (row: Row, server: 'ours' | 'pptpd'): string => valueText(row, row.values[server], false);
  return markdown(
    ['', 'pptpd-ts', 'pptpd', ''],
    HEADLINES.flatMap(([work, figure]) => rows.filter((row) => row.work === work && row.figure === figure)).map(
      (row) => [`${row.title}: ${row.figure}`, plain(row, 'ours'), plain(row, 'pptpd'), `${ratioText(row.ratio)} ×`],
    ),
  );
}
