/** docs/commands.md against the program: whichever gets a command alone fails here. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

const PROGRAM = resolve('bin/pptpd-ts');

test('docs/commands.md has a section for every command, and for no other', () => {
  const { stdout, status } = spawnSync(PROGRAM, ['--help'], { encoding: 'utf8' });
  assert.equal(status, 0);
  const [, listed = ''] = stdout.split('\nCommands:\n');
  const commands = Array.from(listed.matchAll(/^ {2}(\w[\w-]*)/gm), ([, name]) => name).filter(
    (name) => name !== 'help',
  );
  assert.ok(commands.length > 5, stdout);
  const sections = Array.from(readFileSync('docs/commands.md', 'utf8').matchAll(/^## (\S+)$/gm), ([, name]) => name);
  assert.deepEqual(new Set(sections), new Set(commands));
});
