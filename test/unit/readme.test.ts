/**
 * What the documentation says of configurations against the schema, the starter file and the lab's files: whichever
 * changes alone fails here.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { loadConfiguration } from '../../src/config/load.js';
import { configurationSchema } from '../../src/config/schema.js';

const README = readFileSync('README.md', 'utf8');
const STARTER = 'scripts/etc/pptpd-ts.json';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The defaults of all keys, as 'a.b' and as a person writes them; '' where a key has none. */
function defaultsOf(
  schema: JsonSchema | boolean,
  path: readonly string[] = [],
): (readonly [key: string, value: string])[] {
  if (typeof schema === 'boolean' || schema.properties === undefined) {
    return [[path.join('.'), typeof schema === 'boolean' ? '' : plain(schema.default)]];
  }
  return Object.entries(schema.properties).flatMap(([name, inner]) => defaultsOf(inner, [...path, name]));
}

function plain(value: unknown): string {
  if (Array.isArray(value) && value.length > 0) return value.map(plain).join(', ');
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

test('the README lists every key of the configuration with its default', () => {
  const rows = README.matchAll(/^\| `([\w.]+)` \|\s*`?([^|`]*?)`?\s*\|/gm);
  const documented = Array.from(rows, ([, key = '', value = '']) => [key, value] as const);
  const schema = z.toJSONSchema(configurationSchema, { io: 'input', unrepresentable: 'any' });
  assert.deepEqual(new Map(documented), new Map(defaultsOf(schema)));
});

test('the starter configuration is valid, and is the one that the README shows', () => {
  assert.ok(loadConfiguration(STARTER).ok);
  const [shown = ''] = /^ {4}\{$[^]*?^ {4}\}$/m.exec(README) ?? [];
  assert.deepEqual(JSON.parse(shown), JSON.parse(readFileSync(STARTER, 'utf8')));
});

test('docs/scale-out.md shows the files that the lab runs with', () => {
  const sections = readFileSync('docs/scale-out.md', 'utf8').matchAll(
    /^### \/etc\/(\S+)\n\n((?: {4}.*\n|\n(?= {4}))+)/gm,
  );
  const shown = Array.from(sections, ([, path = '', block = '']) => [path, block.replaceAll(/^ {4}/gm, '')] as const);
  const folder = 'test/lab/scale-out/etc';
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => statSync(join(folder, path)).isFile() && statSync(join(folder, path)).size > 1,
  );
  assert.deepEqual(shown.map(([path]) => path).toSorted(), files.toSorted());
  for (const [path, text] of shown) assert.equal(text, readFileSync(join(folder, path), 'utf8'), path);
});
