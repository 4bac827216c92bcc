/** The published figures as Markdown tables: all of them for docs/performance.md, what was aimed at for the README. */
import type { PublishedRow } from './publication.js';
import { ratioText, type Row, targetText, valueText, wordsOf } from './report.js';
import { CPU_PER_PACKET, PACKETS_PER_SECOND } from './works.js';

function markdown(headings: readonly string[], lines: readonly (readonly string[])[]): string {
  const rule = headings.map((_, column) => (column === 0 ? '---' : '---:'));
  return [headings, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const times = (ratio: number | null): string => (ratio === null ? '' : `${ratioText(ratio)} ×`);
const withTarget = (text: string, { target, reached }: Row): string =>
  target === null ? text : `${text} (${targetText(target)}: ${reached ?? 'not measured'})`;

/** Every row, with spread, floor, and how many runs of each server it comes of. */
export function fullTable(rows: readonly PublishedRow[]): string {
  const [headings = [], ...lines] = wordsOf(rows);
  return markdown(
    [...headings, 'runs'],
    lines.map((cells, index) => [...cells, String(rows[index]?.measured.runs)]),
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

/** What has a target, and for packets a second what they cost of the processor. */
export function shortTable(rows: readonly PublishedRow[]): string {
  const cpuOf = (work: string): Row | undefined =>
    rows.find((row) => row.work === work && row.figure === CPU_PER_PACKET && row.ratio !== null);
  const plain = (row: Row, server: 'ours' | 'pptpd'): string => valueText(row, row.values[server], false);
  return markdown(
    ['work', 'pptpd-ts', 'pptpd', 'ratio (target)', 'CPU per packet, ratio (target)'],
    rows
      .filter(({ target, figure }) => target !== null && figure !== CPU_PER_PACKET)
      .map((row) => {
        const isSpeed = row.figure === PACKETS_PER_SECOND;
        const cpu = isSpeed ? cpuOf(row.work) : undefined;
        return [
          isSpeed ? `${row.title}: packets/s` : `${row.title}: ${row.figure}`,
          plain(row, 'ours'),
          plain(row, 'pptpd'),
          withTarget(times(row.ratio), row).trim(),
          cpu === undefined ? '' : withTarget(times(cpu.ratio), cpu),
        ];
      }),
  );
}
