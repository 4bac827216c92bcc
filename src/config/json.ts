/**
 * Finds the first error of a JSON text, with line and column. JSON.parse gives no position for most errors, and silently
 * accepts duplicate keys. Comments and trailing commas, which are common in files written by hand, have their own messages.
 */

export interface JsonFault {
  /** From 1. */
  readonly line: number;
  /** In UTF-16 units, as editors count, from 1. */
  readonly column: number;
  /** What was found, and what was expected. */
  readonly problem: string;
}

/** More than a configuration needs, and less than overflows the stack. */
const MAX_DEPTH = 64;

class Fault extends Error {
  readonly at: number;

  constructor(at: number, problem: string) {
    super(problem);
    this.at = at;
  }
}

/**
 * The first error of the text; null if JSON.parse accepts it and no key is duplicate. `isSecret`: its problem quotes nothing of
 * the text, which may be a part of a password.
 */
export function findJsonFault(text: string, isSecret = false): JsonFault | null {
  try {
    new Reader(text, { isSecret }).document();
    return null;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const before = text.slice(0, error.at).split('\n');
    return { line: before.length, column: (before.at(-1) ?? '').length + 1, problem: error.message };
  }
}

/** Keys and indexes from the outermost value on. */
export type JsonPath = readonly (string | number)[];

/** Calls `take` with the path of each value of the text, which has no fault, and the line on which it begins, from 1. */
export function forEachJsonValue(text: string, take: (path: JsonPath, line: number) => void): void {
  let [line, counted] = [1, 0];
  const onValue = (path: JsonPath, at: number): void => {
    for (; counted < at; counted += 1) if (text[counted] === '\n') line += 1;
    take(path, line);
  };
  new Reader(text, { onValue }).document();
}

interface ReaderOptions {
  readonly onValue?: (path: JsonPath, at: number) => void;
  readonly isSecret?: boolean;
}

class Reader {
  readonly #text: string;
  readonly #isSecret: boolean;
  readonly #onValue: (path: JsonPath, at: number) => void;
  readonly #path: (string | number)[] = [];
  #at = 0;

  constructor(text: string, { onValue = () => undefined, isSecret = false }: ReaderOptions) {
    this.#text = text;
    this.#isSecret = isSecret;
    this.#onValue = onValue;
  }

  document(): void {
    this.#space();
    if (this.#at === this.#text.length)
      throw new Fault(0, 'the file is empty; remedy: begin with a copy of scripts/etc/pptpd-ts.json');
    this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#unexpected('the end of the file');
  }

  #value(depth: number): void {
    if (depth > MAX_DEPTH) throw new Fault(this.#at, `more than ${MAX_DEPTH} levels of [ and {`);
    this.#onValue(this.#path, this.#at);
    const next = this.#text[this.#at];
    if (next === '{') this.#object(depth);
    else if (next === '[') this.#array(depth);
    else if (next === '"') this.#string();
    else if (this.#match(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y) === null)
      this.#unexpected('a value');
  }

  #object(depth: number): void {
    const keys = new Set<string>();
    this.#list('}', 'a key in double quotes', () => {
      const start = this.#at;
      if (this.#text[start] !== '"') this.#unexpected('a key in double quotes');
      const key = this.#string();
      if (keys.has(key)) throw new Fault(start, `duplicate key ${JSON.stringify(key)}`);
      keys.add(key);
      this.#space();
      if (this.#text[this.#at] !== ':')
        this.#unexpected(this.#isSecret ? "':' after a key" : `':' after the key ${JSON.stringify(key)}`);
      this.#at += 1;
      this.#space();
      this.#inside(key, depth);
    });
  }

  #array(depth: number): void {
    let index = 0;
    this.#list(']', 'a value', () => this.#inside(index++, depth));
  }

  #inside(step: string | number, depth: number): void {
    this.#path.push(step);
    this.#value(depth + 1);
    this.#path.pop();
  }

  /** From the opening bracket until after the closing one. */
  #list(closing: ']' | '}', element: string, readElement: () => void): void {
    this.#at += 1;
    this.#space();
    if (this.#text[this.#at] === closing) {
      this.#at += 1;
      return;
    }
    for (;;) {
      readElement();
      this.#space();
      const next = this.#text[this.#at];
      if (next === closing) {
        this.#at += 1;
        return;
      }
      if (next !== ',') this.#unexpected(`',' or '${closing}'`);
      const comma = this.#at;
      this.#at += 1;
      this.#space();
      if (this.#text[this.#at] === closing) {
        throw new Fault(comma, `a ',' before '${closing}'; expected ${element} after it, or no comma`);
      }
    }
  }

  #string(): string {
    const start = this.#at;
    for (this.#at += 1; ; ) {
      const next = this.#text[this.#at];
      if (next === undefined || next === '\n' || next === '\r') {
        throw new Fault(start, 'a string without its closing quote');
      }
      if (next < ' ') throw new Fault(this.#at, `${described(next)} in a string; write it as an escape sequence`);
      if (next !== '\\') this.#at += 1;
      else if (this.#match(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y) === null) {
        throw new Fault(this.#at, "a '\\' that begins no escape sequence; write '\\\\' for the character itself");
      }
      if (next === '"') return JSON.parse(this.#text.slice(start, this.#at)) as string;
    }
  }

  #space(): void {
    this.#match(/[ \t\n\r]*/y);
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    this.#at += found?.length ?? 0;
    return found;
  }

  #unexpected(expected: string): never {
    const word = this.#match(/[\w.+-]+/y);
    const at = this.#at - (word?.length ?? 0);
    const rest = this.#text.slice(at);
    if (/^(?:\/\/|\/\*|#)/.test(rest))
      throw new Fault(at, `a comment, which JSON does not allow; expected ${expected}`);
    const found = word === null ? described(rest[0]) : JSON.stringify(word);
    throw new Fault(at, this.#isSecret ? `expected ${expected}` : `found ${found}; expected ${expected}`);
  }
}

function described(character: string | undefined): string {
  if (character === undefined) return 'the end of the file';
  if (character === '\uFEFF') return 'a byte order mark';
  if (character === "'") return 'a single quote';
  return character < ' ' ? `the control character ${character.charCodeAt(0)}` : `'${character}'`;
}
