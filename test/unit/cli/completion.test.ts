import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Argument, Command, Option } from 'commander';
import { complete } from '../../../src/cli/completion.js';
import { SessionArgument } from '../../../src/cli/session-argument.js';

const program = new Command('pptpd-ts')
  .addCommand(
    new Command('show')
      .description('one of them')
      .addArgument(new SessionArgument())
      .addArgument(new Argument('<state>').choices(['on', 'off']))
      .option('-c, --config <file>')
      .option('--user <name>')
      .addOption(new Option('--sort <key>').choices(['rate', 'age']))
      .option('--json'),
  )
  .addCommand(new Command('sessions'))
  .addCommand(new Command('import').argument('[file]').argument('[arguments...]'))
  .addCommand(new Command('secret'), { hidden: true });

const cases: readonly (readonly [words: readonly string[], expected: readonly string[] | 'files'])[] = [
  [[''], ['show', 'sessions', 'import', 'help']],
  [['s'], ['show', 'sessions']],
  [['nothing', ''], []],
  [
    ['show', ''],
    ['abc123', 'abd456'],
  ],
  [['show', 'abd'], ['abd456']],
  [
    ['show', 'abc123', ''],
    ['on', 'off'],
  ],
  [['show', 'abc123', 'on', ''], []],
  [
    ['show', '--'],
    ['--config', '--user', '--sort', '--json'],
  ],
  [
    ['show', '--json', 'abc123', 'o'],
    ['on', 'off'],
  ],
  [
    ['show', '--user', 'alice', 'ab'],
    ['abc123', 'abd456'],
  ],
  [['show', '--user', ''], []],
  [['show', '--sort', 'r'], ['rate']],
  [['show', '-c', ''], 'files'],
  [['import', ''], 'files'],
  [['import', 'x', 'y', ''], []],
];

for (const [words, expected] of cases) {
  test(`completes '${words.join(' ')}'`, () => {
    const { candidates, files } = complete(program, words, () => ['abc123', 'abd456']);
    assert.deepEqual(files ? 'files' : candidates.map(({ word }) => word), expected);
  });
}

const PROGRAM = resolve('bin/pptpd-ts');

/** What bash would offer for this line. */
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

test('another shell is exit code 2, and says which there are', () => {
  const { status, stderr } = spawnSync(PROGRAM, ['completion', 'tcsh'], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /bash, zsh, fish/);
});
