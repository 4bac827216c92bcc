import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseEngine } from '../../../src/host/ppp-engine.js';

const USUAL = '/usr/sbin/pppd';

const cases: [
  title: string,
  engine: 'auto' | 'pppd' | 'builtin',
  path: string,
  installed: boolean,
  device: string | null,
  chosen: 'pppd' | 'builtin',
][] = [
  ['auto: pppd where it is installed and /dev/ppp opens', 'auto', USUAL, true, null, 'pppd'],
  ['auto: a device of root alone is there', 'auto', USUAL, true, 'EACCES', 'pppd'],
  ['auto: builtin without the device', 'auto', USUAL, true, 'ENOENT', 'builtin'],
  ['auto: builtin where a container may not open the device', 'auto', USUAL, true, 'EPERM', 'builtin'],
  ['auto: builtin without pppd', 'auto', USUAL, false, null, 'builtin'],
  ['auto: a program that the configuration names is used', 'auto', '/opt/ppp', false, 'ENOENT', 'pppd'],
  ['pppd by configuration, whatever is there', 'pppd', USUAL, false, 'ENOENT', 'pppd'],
  ['builtin by configuration, whatever is there', 'builtin', USUAL, true, null, 'builtin'],
];

for (const [title, engine, path, installed, device, chosen] of cases) {
  test(title, () =>
    assert.equal(
      chooseEngine(
        { ppp: { engine }, pppd: { path } },
        () => device,
        () => installed,
      ).engine,
      chosen,
    ),
  );
}

test('the reason names what is missing', () => {
  const { because } = chooseEngine(
    { ppp: { engine: 'auto' }, pppd: { path: USUAL } },
    () => 'ENOENT',
    () => true,
  );
  assert.equal(because, "the kernel's PPP cannot be used here (/dev/ppp: ENOENT)");
});
