/** Tables for a terminal: columns as wide as they must be, and no row wider than the terminal. */
import { bold } from './output.js';

/** Between two columns. */
const GAP = '  ';

/** No column is cut below this: what is left of it would say nothing. */
const NARROWEST = 8;

/**
 * Rows under headings, without spaces at line ends. Where `width` (in characters; a terminal's, by default) does not
 * hold them, the widest columns are cut, and `…` stands for what is missing; without a terminal nothing is.
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

/** As a reader sees them: a name may hold characters of several code points. */
const charactersOf = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);

const lengthOf = (text: string): number => charactersOf(text).length;

function cell(text: string, width: number): string {
  const characters = charactersOf(text);
  if (characters.length > width) return [...characters.slice(0, width - 1), '…'].join('');
  return text + ' '.repeat(width - characters.length);
}

/** Takes from the widest column, one character after the other, until all fit or none can be cut any more. */
function narrowed(natural: readonly number[], available: number): number[] {
  const widths = [...natural];
  for (let excess = widths.reduce((sum, width) => sum + width, 0) - available; excess > 0; excess -= 1) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return widths;
}
