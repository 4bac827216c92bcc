/** The published figures as Markdown tables: all of them for docs/performance.md, a few for the README. */
import type { PublishedRow } from './publication.js';
import { ratioText, type Row, valueText, wordsOf } from './report.js';
import { PACKETS_PER_SECOND } from './works.js';

function markdown(headings: readonly string[], lines: readonly (readonly string[])[]): string {
  const rule = headings.map((_, column) => (column === 0 ? '---' : '---:'));
  return [headings, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Every row, with spread, floor, and how many runs of each server it comes of. */
export function fullTable(rows: readonly PublishedRow[]): string {
  const [headings = [], ...lines] = wordsOf(rows);
  return markdown(
    [...headings, 'runs'],
    lines.map((cells, index) => [...cells, String(rows[index]?.measured.runs)]),
  );
}

/** Rows that know no runs of their own: those of the lab. Each has its title. */
export function tunnelsTable(rows: readonly Row[]): string {
  const [headings = [], ...lines] = wordsOf(rows);
  return markdown(
    headings,
    lines.map(([, ...cells], index) => [rows[index]?.title ?? '', ...cells]),
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
