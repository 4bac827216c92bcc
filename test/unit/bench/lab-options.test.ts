import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labOptions } from '../../bench/lab-options.js';

test('without options everything is measured', () => {
  assert.deepEqual(labOptions([]), {
    rounds: 3,
    publish: false,
    servers: ['kernel', 'builtin', 'ours', 'pptpd'],
    works: ['fast', 'mppe', 'plain', 'window'],
    base: null,
    peer: null,
  });
});

test('servers and works can be chosen; another checkout and a peer take turns with them', () => {
  const options = ['--servers', 'kernel', '--only', 'fast,window', '--base', '.', '--peer', 'accel-ppp=/bin/true'];
  const { servers, works, base, peer } = labOptions(options);
  assert.deepEqual(
    [servers, works],
    [
      ['kernel', 'base', 'peer'],
      ['fast', 'window'],
    ],
  );
  assert.equal(base, process.cwd());
  assert.equal(peer?.name, 'accel-ppp');
});

test('nonsense is refused before a guest starts', () => {
  const refused: readonly [string[], RegExp][] = [
    [['--rounds', '0'], /--rounds 0 is no number of rounds/],
    [['--servers', 'kernel,poptop'], /--servers: there is no 'poptop'; there are kernel, builtin, ours, pptpd/],
    [['--only', ''], /--only: there is no ''/],
    [['--base', '/nowhere'], /--base: \/nowhere is no checkout that was built/],
    [['--peer', 'accel-ppp'], /--peer needs NAME=PATH/],
    [['--publish', '--only', 'fast'], /--publish is for a whole run/],
    [['--publish', '--base', '.'], /--publish is for a whole run/],
    [['--fast'], /--fast/],
  ];
  for (const [args, message] of refused) assert.throws(() => labOptions(args), message, args.join(' '));
});
