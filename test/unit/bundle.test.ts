/** The bundles (scripts/build) lie in a folder of dist/src, and so must each module that names files. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

test('a module names other files of the program as if it lay in any folder of src', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const named = files.flatMap((name) => {
    const text = readFileSync(join('src', name), 'utf8');
    return Array.from(text.matchAll(/new URL\(([^)]*), import\.meta\.url\)/g), ([, path = '']) => ({ name, path }));
  });
  assert(named.length > 3, 'the pattern finds them');
  for (const { name, path } of named) {
    assert.match(name, /^[^/]+\/[^/]+$/, `${name} lies deeper than dist/src/bundle`);
    assert.match(path, /^['`]\.\.\//, `${name}: ${path} must begin with ../`);
  }
});

test('a program that goes on during an upgrade is one file', () => {
  for (const name of ['manager', 'monitor', 'radius', 'console', 'broadcast']) {
    const text = readFileSync(`dist/src/bundle/${name}.js`, 'utf8');
    assert.doesNotMatch(text, /^(?:import|export)\b[^;]*["']\.\.?\//m, name);
    assert.doesNotMatch(text, /\bimport\(["'`]\.\.?\//, name);
  }
});
