/** Completion in a shell. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const PROGRAM = resolve('bin/pptpd-ts');

/** The words that bash offers for this line. */
function offeredByBash(...words: readonly string[]): string[] {
  const script = `source <("$0" completion bash); COMP_WORDS=("$0" "$@"); COMP_CWORD=$#; _pptpd_ts; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, status, stderr } = spawnSync('bash', ['-c', script, PROGRAM, ...words], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes commands, options and live session ids', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'sessions'));
  writeFileSync(join(directory, 'sessions', 'abc123.json'), '');
  assert.deepEqual(offeredByBash('capt'), ['capture']);
  assert.deepEqual(offeredByBash('capture', '--n'), ['--next']);
  assert.deepEqual(offeredByBash('debug', '--run-directory', directory, ''), ['abc123']);
  assert.deepEqual(offeredByBash('debug', 'abc123', ''), ['on', 'off']);
});

test('an unknown shell is exit code 2, and the known ones are listed', () => {
  const { status, stderr } = spawnSync(PROGRAM, ['completion', 'tcsh'], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /bash, zsh, fish/);
});
