/** Every key of the configuration with its default and meaning, for the documents. Derived from the schema. */
import type * as z from 'zod';
import { configurationJsonSchema } from './schema.js';

type JsonSchema = z.core.JSONSchema.BaseSchema;

export interface ConfigurationKey {
  /** As in `pppd.speed`. */
  readonly key: string;
  /** As written in the file; empty if there is none. */
  readonly defaultValue: string;
  /** Sentences in plain text, with `code` between backticks. */
  readonly meaning: string;
}

/** In the order of the schema. */
export const configurationKeys = (): ConfigurationKey[] => keysOf(configurationJsonSchema(), []);

function keysOf(schema: JsonSchema | boolean, path: readonly string[]): ConfigurationKey[] {
  if (typeof schema === 'boolean') return [];
  if (schema.properties === undefined) {
    const own = { key: path.join('.'), defaultValue: plain(schema.default), meaning: schema.description ?? '' };
    return [own, ...keysOfElements(schema, path)];
  }
  return Object.entries(schema.properties).flatMap(([name, inner]) => keysOf(inner, [...path, name]));
}

/** Those of the objects in an array, as in `radius.servers[].address`. */
function keysOfElements({ items }: JsonSchema, path: readonly string[]): ConfigurationKey[] {
  if (typeof items !== 'object' || Array.isArray(items) || items.properties === undefined) return [];
  return keysOf(items, [...path.slice(0, -1), `${path.at(-1)}[]`]);
}

function plain(value: unknown): string {
  if (Array.isArray(value) && value.length > 0) return value.map(plain).join(', ');
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The table of docs/configuration.md. */
export const keysAsMarkdown = (keys: readonly ConfigurationKey[]): string =>
  [
    '| key | default | meaning |',
    '|---|---|---|',
    ...keys.map(
      ({ key, defaultValue, meaning }) =>
        `| \`${key}\` |${defaultValue === '' ? '' : ` \`${defaultValue}\``} | ${meaning.replaceAll('|', '\\|')} |`,
    ),
  ].join('\n');
