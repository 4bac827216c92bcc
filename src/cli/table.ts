/** Tables for a terminal: columns as wide as needed, and no row wider than the terminal. */
import { bold } from './output.js';

const GAP = '  ';

/** Columns are not cut to fewer characters than this, which could not be read. */
const NARROWEST = 8;

/**
 * Headings and rows, without spaces at line ends. `width` is in characters: by default the terminal's, without a terminal
 * unlimited. If a row is wider, the widest columns are cut, and `…` marks what is missing.
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  width: number = process.stdout.columns ?? Number.POSITIVE_INFINITY,
): string {
  const natural = headings.map((heading, column) =>
    Math.max(lengthOf(heading), ...rows.map((row) => lengthOf(row[column] ?? ''))),
  );
  const widths = narrowed(natural, width - GAP.length * (headings.length - 1));
  const line = (cells: readonly string[]): string =>
    widths
      .map((columnWidth, column) => cell(cells[column] ?? '', columnWidth))
      .join(GAP)
      .trimEnd();
  return [bold(line(headings)), ...rows.map(line)].join('\n');
}

const segmenter = new Intl.Segmenter();

/** Characters as a reader counts them: one may consist of several code points. */
const charactersOf = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);

const lengthOf = (text: string): number => charactersOf(text).length;

function cell(text: string, width: number): string {
  const characters = charactersOf(text);
  if (characters.length > width) return [...characters.slice(0, width - 1), '…'].join('');
  return text + ' '.repeat(width - characters.length);
}

/** Shortens the widest column by one character at a time, until all columns fit or none can be cut further. */
function narrowed(natural: readonly number[], available: number): number[] {
  const widths = [...natural];
  for (let excess = widths.reduce((sum, width) => sum + width, 0) - available; excess > 0; excess -= 1) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return widths;
}
