import assert from 'node:assert/strict';
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
  .addCommand(
    new Command('users')
      .addCommand(new Command('add').argument('<name>').option('--note <text>'))
      .addCommand(new Command('list').option('--json')),
  )
  .addCommand(new Command('secret'), { hidden: true });

const cases: readonly (readonly [words: readonly string[], expected: readonly string[] | 'files'])[] = [
  [[''], ['show', 'sessions', 'import', 'users', 'help']],
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
  [
    ['users', ''],
    ['add', 'list', 'help'],
  ],
  [['users', 'add', '--'], ['--note']],
  [['users', 'list', '--j'], ['--json']],
  [['import', ''], 'files'],
  [['import', 'x', 'y', ''], []],
];

for (const [words, expected] of cases) {
  test(`completes '${words.join(' ')}'`, () => {
    const { candidates, files } = complete(program, words, () => ['abc123', 'abd456']);
    assert.deepEqual(files ? 'files' : candidates.map(({ word }) => word), expected);
  });
}
