/**
 * Error messages for a configuration: one line per problem, with the key's full path, the value and what is allowed. The
 * allowed values are taken from the JSON Schema, so the messages cannot differ from what is checked.
 */
import type * as z from 'zod';
import { configurationJsonSchema } from './schema.js';

export interface Problem {
  /** As in `pppd.speed` or `addresses.remote[1]`; empty for the whole configuration. */
  readonly key: string;
  /** Printed after the key and a colon. */
  readonly text: string;
}

type JsonSchema = z.core.JSONSchema.BaseSchema;
type Path = readonly PropertyKey[];

/** Characters. Longer values are cut to fit a terminal. */
const MAX_SHOWN = 60;

/** All problems in the order of the schema; each unknown key is one problem. `schema`: the one that found them. */
export function problemsOf(
  error: z.ZodError,
  input: unknown,
  schema: JsonSchema = configurationJsonSchema(),
): Problem[] {
  return error.issues.flatMap(leaves).flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        key: pathText([...issue.path, key]),
        text: `unknown key; ${advice(schema, issue.path, key)}`,
      }));
    }
    const custom: CustomParams = issue.code === 'custom' ? (issue.params ?? {}) : {};
    const value = custom.value === undefined ? valueAt(input, issue.path) : custom.value;
    const reason = custom.reason === undefined ? '' : ` (${custom.reason})`;
    const allowed = custom.allowed ?? words(nodeAt(schema, issue.path));
    return [{ key: pathText(issue.path), text: `${shown(value)} is not allowed${reason}; allowed: ${allowed}` }];
  });
}

/** Parameters that the custom rules of the schema add to their issues. */
interface CustomParams {
  readonly value?: unknown;
  readonly reason?: string;
  readonly allowed?: string;
}

/** The issues of a union are those of the alternative that the value is nearest to. */
function leaves(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const nearest = issue.errors.find((branch) => branch.some(({ path }) => path.length > 0));
  if (nearest === undefined) return [issue];
  return nearest.flatMap((inner) => leaves({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** As in `addresses.remote[1]`. */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined),
    input,
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 1)}…`;
}

const subschema = (schema: JsonSchema | boolean | undefined): JsonSchema | undefined =>
  typeof schema === 'object' ? schema : undefined;

/** The part of the schema at a path of keys and indexes. */
function nodeAt(schema: JsonSchema, path: Path): JsonSchema {
  return path.reduce<JsonSchema>((node, step) => {
    if (typeof step !== 'number') return subschema(node.properties?.[String(step)]) ?? {};
    const array = [node, ...(node.anyOf ?? [])].map(subschema).find((kind) => kind?.items !== undefined);
    return subschema((array?.prefixItems?.[step] ?? array?.items) as JsonSchema | boolean | undefined) ?? {};
  }, schema);
}

/** What a part of the schema allows. */
function words(node: JsonSchema): string {
  if (node.title !== undefined) return node.title;
  if (node.enum !== undefined) return node.enum.map((value) => JSON.stringify(value)).join(', ');
  switch (node.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number from ${node.minimum} to ${node.maximum}`;
    case 'number':
      return node.exclusiveMinimum === undefined
        ? `a number from ${node.minimum} to ${node.maximum}`
        : `a number above ${node.exclusiveMinimum}, up to ${node.maximum}`;
    case 'array':
      return `an array, each ${words(subschema(node.items as JsonSchema | undefined) ?? {})}`;
    case 'object':
      return `an object with ${Object.keys(node.properties ?? {}).join(', ')}`;
    case 'string':
    case 'null':
    case undefined:
    default:
      return 'a string';
  }
}

/** The key that was probably meant, or else the keys of that section. */
function advice(schema: JsonSchema, parent: Path, key: string): string {
  const siblings = Object.keys(nodeAt(schema, parent).properties ?? {});
  const nearest = siblings
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(name.length / 3)))
    .toSorted((a, b) => a.distance - b.distance)[0];
  const elsewhere = keyPaths(schema, []).find((path) => String(path.at(-1)).toLowerCase() === key.toLowerCase());
  const meant = nearest === undefined ? elsewhere : [...parent, nearest.name];
  return meant === undefined ? `known keys: ${siblings.join(', ')}` : `did you mean ${pathText(meant)}?`;
}

function keyPaths(schema: JsonSchema, path: Path): Path[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, node]) => {
    const here = [...path, key];
    return [here, ...keyPaths(subschema(node) ?? {}, here)];
  });
}

/** Number of insertions, deletions, substitutions and swaps of neighbouring characters between the two words. */
export function editDistance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= from.length; row += 1) {
    rows.push([row]);
    for (let column = 1; column <= to.length; column += 1) {
      const changed = at(row - 1, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const least = Math.min(changed, at(row - 1, column) + 1, at(row, column - 1) + 1);
      rows[row]?.push(swapped ? Math.min(least, at(row - 2, column - 2) + 1) : least);
    }
  }
  return at(from.length, to.length);
}
