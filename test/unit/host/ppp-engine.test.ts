import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KernelPathModule } from '../../../src/host/kernel-path.js';
import {
  chooseEngine,
  describeEngine,
  type EngineMachine,
  type EngineSettings,
  linkKindOf,
  type LinkKind,
} from '../../../src/host/ppp-engine.js';

const USUAL = '/usr/sbin/pppd';

function settingsOf(ppp: Partial<EngineSettings['ppp']>, path = USUAL): EngineSettings {
  return { ppp: { engine: 'auto', dataPath: 'tun', ...ppp }, pppd: { path }, gre: { window: 'advise' } };
}

function aMachine(device: string | null, installed = true, missing: KernelPathModule | null = null): EngineMachine {
  return { openDevice: () => device, canExecute: () => installed, missingModule: () => missing };
}

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
    assert.equal(chooseEngine(settingsOf({ engine }, path), aMachine(device, installed)).engine, chosen),
  );
}

test('the reason names what is missing', () => {
  const { because } = chooseEngine(settingsOf({}), aMachine('ENOENT'));
  assert.equal(because, "the kernel's PPP cannot be used here (/dev/ppp: ENOENT)");
});

describe('the data path of the builtin engine', () => {
  const all = aMachine(null);
  const paths: [title: string, ppp: Partial<EngineSettings['ppp']>, EngineMachine, kind: LinkKind, because: string][] =
    [
      ['auto: the kernel where it has all modules', {}, all, 'kernel', "the kernel's PPTP driver is there"],
      ['auto: a device of root alone is there', {}, aMachine('EACCES'), 'kernel', "the kernel's PPTP driver is there"],
      ['auto: TUN without a module', {}, aMachine(null, true, 'pptp'), 'tun', 'the kernel has no module pptp'],
      ['auto: TUN without the device', {}, aMachine('ENOENT'), 'tun', '/dev/ppp cannot be opened (ENOENT)'],
      [
        'auto: TUN for keys that the kernel does not have',
        { encryptionKeys: [56] },
        all,
        'tun',
        'ppp.encryptionKeys has 56 bits alone, which the kernel does not have',
      ],
      [
        'auto: one of the keys is enough',
        { encryptionKeys: [56, 128] },
        all,
        'kernel',
        "the kernel's PPTP driver is there",
      ],
      [
        'auto: keys do not matter without encryption',
        { encryptionKeys: [56], encryption: 'none' },
        all,
        'kernel',
        "the kernel's PPTP driver is there",
      ],
      [
        'kernel by configuration, whatever is there',
        { dataPath: 'kernel' },
        aMachine('ENOENT'),
        'kernel',
        'ppp.dataPath says so',
      ],
      ['TUN by configuration, whatever is there', { dataPath: 'tun' }, all, 'tun', 'ppp.dataPath says so'],
    ];
  for (const [title, ppp, machine, kind, because] of paths)
    test(title, () => {
      const choice = chooseEngine(settingsOf({ engine: 'builtin', dataPath: 'auto', ...ppp }), machine);
      assert.equal(linkKindOf(choice), kind);
      assert(choice.engine === 'builtin');
      assert.equal(choice.dataPath.because, because);
      assert(describeEngine(choice).endsWith(because));
    });

  test('auto: TUN where the client’s window is to be enforced', () => {
    const settings = { ...settingsOf({ engine: 'builtin', dataPath: 'auto' }), gre: { window: 'enforce' } } as const;
    assert.equal(linkKindOf(chooseEngine(settings, all)), 'tun');
  });
});
