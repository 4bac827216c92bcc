/** What `pptpd-ts serve` takes for the configuration's path, and what it refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationPath } from '../../../src/manager/arguments.js';

const paths: readonly (readonly [args: readonly string[], path: string])[] = [
  [[], '/etc/pptpd-ts.json'],
  [['-c', 'a.json'], 'a.json'],
  [['-ca.json'], 'a.json'],
  [['--config', 'a.json'], 'a.json'],
  [['--config=a.json'], 'a.json'],
  [['a.json'], 'a.json'],
  [['--', '-a.json'], '-a.json'],
  [['-c', 'a.json', '-c', 'b.json'], 'b.json'],
];
for (const [args, path] of paths) {
  test(`serve ${args.join(' ')} reads ${path}`, () => assert.equal(configurationPath(args), path));
}

const refused: readonly (readonly [args: readonly string[], why: RegExp])[] = [
  [['a.json', 'b.json'], /^Error: more than one configuration file: a\.json, b\.json$/],
  [['-c', 'a.json', 'b.json'], /^Error: more than one configuration file: b\.json, a\.json$/],
  [['-c'], /^Error: -c needs a file$/],
  [['--config'], /^Error: --config needs a file$/],
  [['--foreground'], /^Error: unknown option '--foreground'$/],
  [['-x', 'a.json'], /^Error: unknown option '-x'$/],
];
for (const [args, why] of refused) {
  test(`serve ${args.join(' ')} is refused`, () => assert.throws(() => configurationPath(args), why));
}

test('without being told it takes the arguments of the process', (t) => {
  const { argv } = process;
  t.after(() => (process.argv = argv));
  process.argv = ['node', 'main.js', 'own.json'];
  assert.equal(configurationPath(), 'own.json');
});
