/** Reads a JSON file by a schema: all mistakes at once, with line and field of each, and never with a secret. Pure. */
import * as z from 'zod';
import { findJsonFault, forEachJsonValue } from '../config/json.js';
import { pathText, problemsOf } from '../config/problems.js';

export interface FileProblem {
  /** From 1. */
  readonly line: number;
  /** With the field, and never with a secret. */
  readonly text: string;
}

export type ReadJson<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

const SECRET_FIELDS: ReadonlySet<string> = new Set(['ntHash', 'password', 'sha256']);

/** `empty`: what a file without entries has. */
export function readJson<T>(text: string, schema: z.ZodType<T>, empty: string): ReadJson<T> {
  if (text.trim() === '')
    return { ok: false, problems: [{ line: 1, text: `the file is empty; remedy: write ${empty}` }] };
  const fault = findJsonFault(text, true);
  if (fault !== null) {
    const { line, column, problem } = fault;
    return { ok: false, problems: [{ line, text: `not JSON, column ${column}: ${problem}` }] };
  }
  const input: unknown = JSON.parse(text);
  const parsed = schema.safeParse(input);
  if (parsed.success) return { ok: true, value: parsed.data };
  const lines = new Map<string, number>();
  forEachJsonValue(text, (path, line) => lines.set(pathText(path), line));
  const found = problemsOf(parsed.error, withoutSecrets(input), z.toJSONSchema(schema, { io: 'input' }));
  const problems = found.map(({ key, text: problem }) => ({
    line: lineOf(lines, key),
    text: key === '' ? problem : `${key}: ${problem}`,
  }));
  return { ok: false, problems };
}

/** Of a key that is missing: the line of what should have it. */
function lineOf(lines: ReadonlyMap<string, number>, key: string): number {
  const line = lines.get(key);
  if (line !== undefined) return line;
  const outer = key.replace(/(?:^|\.)[^.[\]]*$|\[\d+\]$/, '');
  return outer === key ? 1 : lineOf(lines, outer);
}

/** Problems show values. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, SECRET_FIELDS.has(key) ? 'a secret' : withoutSecrets(inner)]),
  );
}

/** One line for each problem, as compilers write them. */
export const problemLines = (path: string, problems: readonly FileProblem[]): string[] =>
  problems.map(({ line, text }) => `${path}:${line}: ${text}`);
