/** Runs the program nft. Needs root. */
import { execFile } from 'node:child_process';
import { PROGRAM_PATH } from '../host/program-path.js';

const TIMEOUT_MS = 10_000;
/** A ruleset of thousands of rules is some megabytes of JSON. */
const MAX_OUTPUT = 64 * 1024 * 1024;

export type NftResult =
  | { readonly kind: 'done'; readonly output: string }
  | { readonly kind: 'missing' }
  /** `words`: the first line of its error message. */
  | { readonly kind: 'failed'; readonly words: string };

/** `input` is its standard input. */
export async function nft(args: readonly string[], input = ''): Promise<NftResult> {
  return new Promise((resolve) => {
    const env = { ...process.env, PATH: PROGRAM_PATH, LC_ALL: 'C' };
    const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT, env };
    const child = execFile('nft', [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve({ kind: 'done', output: stdout });
      else if (error.code === 'ENOENT') resolve({ kind: 'missing' });
      else resolve({ kind: 'failed', words: firstLine(stderr) || firstLine(error.message) });
    });
    // It need not read all of it.
    child.stdin?.on('error', () => undefined).end(input);
  });
}

const firstLine = (text: string): string => text.split('\n', 1).join().trim();
