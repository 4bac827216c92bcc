/** What `import` reports to the administrator: remarks, and faults that prevent the conversion. */

/** What a note is about: a line of the file, or an argument. */
export interface Source {
  readonly text: string;
  /** For the order of the notes: lines of the file, then the command line, then what is missing in the file. */
  readonly line: number;
}

interface Note {
  readonly source: Source;
  readonly text: string;
}

export class Notes {
  readonly #remarks: Note[] = [];
  readonly #faults: Note[] = [];

  remark(source: Source, text: string): void {
    this.#remarks.push({ source, text });
  }

  fault(source: Source, text: string): void {
    this.#faults.push({ source, text });
  }

  get remarks(): string[] {
    return inOrder(this.#remarks);
  }

  get faults(): string[] {
    return inOrder(this.#faults);
  }
}

const inOrder = (notes: readonly Note[]): string[] =>
  notes.toSorted((a, b) => a.source.line - b.source.line).map(({ source, text }) => `${source.text}: ${text}`);

/** Characters. Longer words are cut to fit a terminal. */
const MAX_SHOWN = 60;

/** Of more ranges only the first ones and the last one are named. */
const MAX_RANGES = 4;

/** A word of the file for a message. Characters that are invisible or control the terminal are shown as their codes. */
export const quoted = (word: string): string =>
  JSON.stringify(word.length <= MAX_SHOWN ? word : `${word.slice(0, MAX_SHOWN - 1)}…`).replaceAll(
    /(?! )[\p{Z}\p{C}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );

/** Ranges for a message. */
export const listed = (ranges: readonly string[]): string =>
  ranges.length <= MAX_RANGES
    ? ranges.join(', ')
    : `${ranges.slice(0, MAX_RANGES - 1).join(', ')} … ${ranges.at(-1)} (${ranges.length} ranges)`;
