import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationSchema } from '../../../src/config/schema.js';
import { type CheckResult, formatFailure, runChecks } from '../../../src/host/checks.js';
import type { Machine } from '../../../src/host/machine.js';

const OPTIONS = '/etc/ppp/options.pptpd';

const configuration = configurationSchema.parse({
  addresses: { local: ['192.0.2.1'], remote: ['198.51.100.10-20'] },
  pppd: { options: OPTIONS },
});

interface Description {
  readonly files?: Readonly<Record<string, string | null>>;
  readonly modes?: Readonly<Record<string, number>>;
  readonly pppd?: string | null;
  readonly modules?: readonly string[];
  readonly networks?: readonly { name: string; cidr: string }[];
  readonly gre?: string | null;
  readonly unwritable?: boolean;
}

/** A machine on which everything is as it should be, but for what the test describes. */
function machine({
  files,
  modes,
  pppd = 'pppd version 2.4.9',
  modules,
  networks = [],
  gre = null,
  unwritable,
}: Description): Machine {
  const content: Record<string, string | null> = {
    '/proc/self/status': 'CapEff:\t000001ffffffffff\n',
    '/proc/misc': '108 ppp\n',
    '/proc/modules': 'ppp_mppe 16384 0 - Live 0x0\n',
    '/proc/sys/net/ipv4/ip_forward': '1\n',
    [OPTIONS]: 'require-mschap-v2\nrequire-mppe-128\n',
    '/etc/ppp/chap-secrets': 'alice * secret *\n',
    ...files,
  };
  const bits: Record<string, number> = {
    '/dev/ppp': 0o20600,
    '/etc/ppp/chap-secrets': 0o100600,
    '/run': 0o40755,
    ...modes,
  };
  return {
    read: (path) => content[path] ?? null,
    mode: (path) => bits[path] ?? null,
    isExecutable: () => pppd !== null,
    isWritable: () => unwritable !== true,
    run: async (path, args) =>
      Promise.resolve(
        path.endsWith('modprobe')
          ? { code: (modules ?? ['ppp_async', 'ppp_mppe']).includes(args.at(-1) ?? '') ? 0 : 1, output: '' }
          : { code: 0, output: pppd ?? '' },
      ),
    networks: () => networks,
    openGreSocket: async () => Promise.resolve(gre),
  };
}

const failed = (results: readonly CheckResult[]): string[] =>
  results.flatMap((result) => (result.outcome.ok ? [] : result.name));

test('on a machine with everything, everything is well', async () => {
  assert.deepEqual(failed(await runChecks(configuration, { machine: machine({}) })), []);
});

const cases: [title: string, description: Description, fails: string, sentence: RegExp, fatal: boolean][] = [
  [
    'not root',
    { files: { '/proc/self/status': 'CapEff:\t0000000000000000\n' } },
    'privileges',
    /without CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW; mend it: run it as root/,
    true,
  ],
  [
    'one capability short',
    { files: { '/proc/self/status': 'CapEff:\t0000000000003000\n' } },
    'privileges',
    /without CAP_NET_BIND_SERVICE;/,
    true,
  ],
  ['no pppd', { pppd: null }, 'pppd', /\/usr\/sbin\/pppd is missing.*apt-get install ppp/, true],
  [
    'no PPP in the kernel',
    { files: { '/proc/misc': '' }, modules: ['ppp_mppe'] },
    'kernel PPP',
    /this kernel has no PPP/,
    true,
  ],
  [
    'no MPPE',
    { files: { '/proc/modules': '' }, modules: ['ppp_async'] },
    'MPPE',
    /clients that want encryption are refused; mend it: modprobe ppp_mppe/,
    false,
  ],
  [
    'no raw socket',
    { gre: 'Operation not permitted' },
    'GRE socket',
    /no raw GRE socket: Operation not permitted/,
    true,
  ],
  [
    'no options file',
    { files: { [OPTIONS]: null } },
    'options file',
    /options\.pptpd \(pppd\.options\) is missing/,
    true,
  ],
  [
    'MPPE without MS-CHAP',
    { files: { [OPTIONS]: 'require-mppe-128\n' } },
    'options file',
    /requires MPPE without MS-CHAP/,
    true,
  ],
  ['no secrets', { files: { '/etc/ppp/chap-secrets': null } }, 'secrets', /nobody can log in/, false],
  ['secrets without a user', { files: { '/etc/ppp/chap-secrets': '# none\n' } }, 'secrets', /names no user/, false],
  [
    'secrets that all can read',
    { modes: { '/etc/ppp/chap-secrets': 0o100644 } },
    'secrets',
    /can be read by others; mend it: chmod 600/,
    false,
  ],
  [
    'no forwarding',
    { files: { '/proc/sys/net/ipv4/ip_forward': '0\n' } },
    'forwarding',
    /sysctl -w net\.ipv4\.ip_forward=1/,
    false,
  ],
  [
    'a pool with our own address',
    { networks: [{ name: 'eth0', cidr: '198.51.100.15/32' }] },
    'address pool',
    /198\.51\.100\.15 is in addresses\.remote and is this machine's own \(eth0\)/,
    false,
  ],
  [
    'a pool inside a local network',
    { networks: [{ name: 'eth0', cidr: '198.51.100.1/24' }] },
    'address pool',
    /198\.51\.100\.10 lies in the network 198\.51\.100\.1\/24 of eth0.*proxyarp/,
    false,
  ],
  ['a run directory that cannot be written', { unwritable: true }, 'run directory', /\/run cannot be written to/, true],
];

for (const [title, description, name, sentence, fatal] of cases) {
  test(`${title}: one sentence, with what mends it`, async () => {
    const results = await runChecks(configuration, { machine: machine(description) });
    assert.deepEqual(failed(results), [name]);
    const result = results.find((each) => each.name === name);
    assert.ok(result !== undefined);
    assert.equal(result.fatal, fatal);
    assert.match(formatFailure(result) ?? '', sentence);
  });
}

test('what is left out for lack of privileges is not said twice', async () => {
  const poor = machine({
    files: { '/proc/self/status': 'CapEff:\t0\n' },
    gre: 'Operation not permitted',
    unwritable: true,
  });
  assert.deepEqual(failed(await runChecks(configuration, { machine: poor })), ['privileges']);
});

test('proxyarp makes a pool inside a local network good', async () => {
  const results = await runChecks(configuration, {
    machine: machine({
      networks: [{ name: 'eth0', cidr: '198.51.100.1/24' }],
      files: { [OPTIONS]: 'proxyarp\n' },
    }),
  });
  assert.deepEqual(failed(results), []);
});

test('a program that is no pppd needs no PPP in the kernel', async () => {
  const results = await runChecks(configuration, {
    machine: machine({ pppd: 'a PPP of its own', files: { '/proc/misc': '', '/proc/modules': '' }, modules: [] }),
  });
  assert.deepEqual(failed(results), []);
});

test('serve asks for what is fatal alone', async () => {
  const results = await runChecks(configuration, { only: 'fatal', machine: machine({}) });
  assert.ok(results.every(({ fatal }) => fatal));
  assert.ok(!results.some(({ name }) => name === 'forwarding'));
});
