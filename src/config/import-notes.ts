/** What `import` has to say to the administrator: remarks, and faults that leave no configuration to write. */

/** Where something was said: a line of the file, or an argument. */
export interface Source {
  readonly text: string;
  /** For the order of the notes: the file from top to bottom, then the command line, then what no line says. */
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

/** Longer words are cut: the line is for a terminal. */
const MAX_SHOWN = 60;

/** More ranges than these make no sentence. */
const MAX_RANGES = 4;

/** A word of the file for a message: what would be invisible, or would control the terminal, is shown as its code. */
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
