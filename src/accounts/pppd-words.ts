/**
 * Reads the words of pppd's options and secrets files as pppd does (pppd(8), "OPTIONS FILES"; observed on pppd 2.4.9, because
 * the manual omits most of it). Each word notes what a person would read differently. Pure.
 */

/** Why a word may not be what its writer meant. */
export type Oddity =
  /** A `#` without a blank before it ended the word and made the rest of the line a comment. */
  | 'hash'
  /** A comment follows the word in its line. */
  | 'comment'
  /** A backslash changed the next character: `\u` is u, `\b` is a backspace. */
  | 'escape'
  /** A backslash at the end of a line, within the word, joined the next line to it. */
  | 'joined'
  /** Its quotes contain the end of a line. */
  | 'manyLines'
  /** pppd keeps only the first 1,023 bytes. */
  | 'tooLong';

export interface Word {
  /** The word as pppd reads it: one character per byte (Node.js encoding `binary`). */
  readonly bytes: string;
  /** The text in the file, which begins at this byte. */
  readonly raw: string;
  readonly at: number;
  /** Lines where it begins and ends, from 1. */
  readonly line: number;
  readonly lastLine: number;
  /** It is the first word of its line, as pppd counts lines. */
  readonly isFirst: boolean;
  readonly oddities: ReadonlySet<Oddity>;
}

/** The bytes of a text, one character each, as in Word.bytes. */
export const bytesOf = (text: string): string => Buffer.from(text).toString('binary');

/** The text of such bytes. */
export const textOf = (bytes: string): string => Buffer.from(bytes, 'binary').toString();

/** pppd's buffer has 1,024 bytes including a null byte. */
const LONGEST = 1023;

const BLANK = /[ \t\n\v\f\r]/;
const NAMED: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  s: ' ',
  t: '\t',
};
/** Characters whose escape is surely intended. */
const PLAIN_ESCAPE = /[\\"'# ]/;
const NUMBER = /[0-7]{1,3}|x[0-9A-Fa-f]{0,2}/y;

/** All words of the text in order. */
export const wordsOf = (text: string): Word[] => wordsOfBytes(bytesOf(text));

/** The same of a file's bytes, one character each: a file need not be UTF-8. */
export function wordsOfBytes(bytes: string): Word[] {
  const reader = new Reader(bytes);
  const words: Word[] = [];
  for (let word = reader.next(); word !== null; word = reader.next()) words.push(word);
  return words;
}

class Reader {
  readonly #text: string;
  #at = 0;
  #line = 1;
  /** Of the previous word: a comment later in its line is noted there. */
  #oddities = new Set<Oddity>();
  #isFirst = true;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Word | null {
    const start = this.#skip();
    return start === null ? null : this.#word(start);
  }

  #take(): string {
    const character = this.#text.charAt(this.#at);
    this.#at += 1;
    if (character === '\n') this.#line += 1;
    return character;
  }

  /** Skips blanks, comments and joined lines. Returns where the next word begins; null at the end. */
  #skip(): { readonly at: number; readonly line: number; readonly isEscaped: boolean } | null {
    while (this.#at < this.#text.length) {
      const [at, line] = [this.#at, this.#line];
      const character = this.#take();
      if (character === '\n') this.#isFirst = true;
      else if (character === '#') this.#comment();
      else if (character === '\\') {
        if (this.#text[this.#at] !== '\n') return this.#at < this.#text.length ? { at, line, isEscaped: true } : null;
        this.#take();
      } else if (!BLANK.test(character)) {
        this.#at = at;
        return { at, line, isEscaped: false };
      }
    }
    return null;
  }

  #comment(): void {
    if (!this.#isFirst) this.#oddities.add('comment');
    while (this.#at < this.#text.length && this.#text[this.#at] !== '\n') this.#at += 1;
  }

  #word({ at, line, isEscaped }: { at: number; line: number; isEscaped: boolean }): Word | null {
    const oddities = new Set<Oddity>();
    this.#oddities = oddities;
    const isFirst = this.#isFirst;
    let bytes = isEscaped ? this.#escaped() : '';
    let quote: string | null = null;
    while (this.#at < this.#text.length) {
      const character = this.#text.charAt(this.#at);
      if (quote === null && (BLANK.test(character) || character === '#')) {
        if (character === '#') oddities.add('hash');
        break;
      }
      this.#take();
      if (character === '\\') {
        bytes += this.#escaped();
      } else if (quote !== null && character === quote) {
        quote = null;
      } else if (quote === null && (character === '"' || character === "'")) {
        quote = character;
      } else {
        if (character === '\n') oddities.add('manyLines');
        bytes += character;
      }
    }
    // At the end of the file pppd ignores an empty word.
    if (bytes === '' && this.#at >= this.#text.length) return null;
    if (bytes.length > LONGEST) oddities.add('tooLong');
    this.#isFirst = false;
    const raw = this.#text.slice(at, this.#at);
    // For pppd a null byte ends the word.
    const [kept = ''] = bytes.slice(0, LONGEST).split('\0');
    return { bytes: kept, raw, at, line, lastLine: this.#line, isFirst, oddities };
  }

  /** The character that an escape sequence stands for; the backslash has been read. */
  #escaped(): string {
    if (this.#at >= this.#text.length) return '';
    if (this.#text[this.#at] === '\n') {
      this.#take();
      this.#oddities.add('joined');
      return '';
    }
    NUMBER.lastIndex = this.#at;
    const number = NUMBER.exec(this.#text)?.[0];
    if (number !== undefined) {
      this.#oddities.add('escape');
      this.#at += number.length;
      const code = number.startsWith('x') ? Number.parseInt(`0${number.slice(1)}`, 16) : Number.parseInt(number, 8);
      return String.fromCharCode(code % 256);
    }
    const character = this.#take();
    if (!PLAIN_ESCAPE.test(character)) this.#oddities.add('escape');
    return NAMED[character] ?? character;
  }
}
