/** Loads the effective configuration from a file, or reports all errors of the file at once. */
import { readFileSync } from 'node:fs';
import { findJsonFault } from './json.js';
import { type Problem, problemsOf } from './problems.js';
import { type Configuration, configurationSchema } from './schema.js';

export type Loaded =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly problems: string[] };

export type Checked =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads and checks the file; never throws. Each problem names the file, and the line and column or the key. */
export function loadConfiguration(path: string): Loaded {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return { ok: false, problems: [unreadable(path, error as NodeJS.ErrnoException)] };
  }
  return checkText(path, text);
}

/** The same for a text; `name`: what the problems call it. */
export function checkText(name: string, text: string): Loaded {
  const fault = findJsonFault(text);
  if (fault !== null) {
    return { ok: false, problems: [`${name}:${fault.line}:${fault.column}: not JSON: ${fault.problem}`] };
  }
  const checked = checkConfiguration(JSON.parse(text));
  if (checked.ok) return checked;
  return {
    ok: false,
    problems: checked.problems.map(({ key, text: problem }) => [name, key, problem].filter(Boolean).join(': ')),
  };
}

/** Checks the parsed JSON, and fills in every default. */
export function checkConfiguration(input: unknown): Checked {
  const parsed = configurationSchema.safeParse(input);
  return parsed.success
    ? { ok: true, configuration: parsed.data }
    : { ok: false, problems: problemsOf(parsed.error, input) };
}

/** Why the file cannot be read, in one sentence. */
function unreadable(path: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return `${path}: there is no such file; remedy: copy scripts/etc/pptpd-ts.json there, or name another file with -c FILE`;
    case 'EACCES':
      return `${path}: this user may not read it; remedy: run the command as root, or change the file's mode`;
    case 'EISDIR':
      return `${path}: this is a directory; remedy: name the file in it`;
    case undefined:
    default:
      return `${path}: cannot be read: ${error.message}`;
  }
}
