/** The secret that the server shares with a RADIUS server, in a file of its own. */
import { readFileSync, statSync } from 'node:fs';

export type Secret =
  | { readonly ok: true; readonly octets: Buffer }
  | { readonly ok: false; readonly problem: string; readonly remedy: string };

const READABLE_BY_OTHERS = 0o077;

/** What a file says of itself; `text`: null when it cannot be read. */
interface SecretFile {
  readonly text: string | null;
  /** Permission bits; null without a file. */
  readonly mode: number | null;
}

/** All of the file but the line end. Only its owner may be able to read it. */
export function secretOf(file: string, { text, mode }: SecretFile): Secret {
  if (mode === null || text === null)
    return {
      ok: false,
      problem: `${file} is missing or cannot be read`,
      remedy: `write the shared secret into ${file}, with mode 0600`,
    };
  if ((mode & READABLE_BY_OTHERS) !== 0)
    return { ok: false, problem: `${file} can be read by others`, remedy: `chmod 600 ${file}` };
  const secret = text.replace(/\r?\n$/, '');
  return secret === '' || secret.includes('\n')
    ? {
        ok: false,
        problem: `${file} does not have one line`,
        remedy: `write the shared secret, and nothing else, into ${file}`,
      }
    : { ok: true, octets: Buffer.from(secret, 'utf8') };
}

/** Never throws. */
export function readSecret(file: string): Secret {
  try {
    return secretOf(file, { mode: statSync(file).mode & 0o777, text: readFileSync(file, 'utf8') });
  } catch {
    return secretOf(file, { mode: null, text: null });
  }
}
