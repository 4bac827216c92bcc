import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { peerOf } from '../bench/peers.js';

test('a peer is started by its folder, with the program given by its path', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'peer-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const standIn = join(folder, 'accel-pppd');
  writeFileSync(standIn, '#!/bin/sh\nprintf "%s\\n" "$@"\n');
  assert.throws(() => peerOf(`accel-ppp=${standIn}`), /accel-pppd cannot be run: EACCES/);
  chmodSync(standIn, 0o755);
  assert.deepEqual(peerOf(`accel-ppp=${standIn}`), { name: 'accel-ppp', program: standIn });
  const start = 'test/lab/against-pptpd/peers/accel-ppp/start';
  const [option, configuration = ''] = execFileSync(start, [standIn], { encoding: 'utf8' }).trim().split('\n');
  assert.equal(option, '-c');
  assert.match(readFileSync(configuration, 'utf8'), /^pptp$/m);
});

test('what is no peer is refused', () => {
  assert.throws(() => peerOf('accel-ppp'), /--peer needs NAME=PATH, not 'accel-ppp'/);
  assert.throws(() => peerOf('accel-ppp='), /--peer needs NAME=PATH/);
  assert.throws(() => peerOf('=/bin/true'), /--peer needs NAME=PATH/);
  assert.throws(() => peerOf('poptop=/bin/true'), /no folder .*peers\/poptop; there are accel-ppp/);
  assert.throws(() => peerOf('../peers=/bin/true'), /no folder/);
  assert.throws(() => peerOf('accel-ppp=/nowhere/accel-pppd'), /\/nowhere\/accel-pppd cannot be run: ENOENT/);
});
