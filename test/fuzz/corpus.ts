/**
 * The kept inputs: one file per target, one hexadecimal input per line. They are inputs that reached something new when
 * they were found and, each under a comment that describes it, all inputs that ever broke a target.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const FOLDER = resolve('test/fuzz/corpus');
const fileOf = (target: string): string => `${FOLDER}/${target}.hex`;
const line = (input: Uint8Array): string => `${Buffer.from(input).toString('hex')}\n`;

export class Corpus {
  readonly #file: string;
  readonly #text: string;

  constructor(target: string) {
    this.#file = fileOf(target);
    this.#text = existsSync(this.#file) ? readFileSync(this.#file, 'utf8') : '';
  }

  /** Every kept input; an empty line is an empty input. */
  get inputs(): Uint8Array[] {
    const lines = this.#text.split('\n').slice(0, -1);
    return lines.filter((each) => !each.startsWith('#')).map((each) => Buffer.from(each, 'hex'));
  }

  /** Replaces the inputs that have no comment by `inputs`. */
  replace(inputs: readonly Uint8Array[]): void {
    const named = [...this.#text.matchAll(/^#.*\n[^#\n]*\n/gm)].map(([both]) => both);
    writeFileSync(this.#file, [...named, ...inputs.map(line)].join(''));
  }

  /** Keeps an input that broke a target. */
  addFault(input: Uint8Array, what: string): void {
    appendFileSync(this.#file, `# ${what.replaceAll(/\s+/g, ' ')}\n${line(input)}`);
  }
}
