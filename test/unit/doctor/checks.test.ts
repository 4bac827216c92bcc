import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { configurationSchema } from '../../../src/config/schema.js';
import { type CheckResult, formatFailure, runChecks } from '../../../src/doctor/checks.js';
import type { CommandResult, Failure, Machine } from '../../../src/doctor/machine.js';
import type { NetworkProblem } from '../../../src/network/network-check.js';
import { tableName } from '../../../src/network/ruleset.js';
import { recorded } from '../cli/commands-document.js';

const OPTIONS = '/etc/ppp/options.pptpd';

const given = {
  addresses: { local: ['192.0.2.1'], remote: ['198.51.100.10-20'] },
  ppp: { engine: 'pppd' },
  pppd: { options: OPTIONS },
};
const configuration = configurationSchema.parse(given);

interface Description {
  readonly files?: Readonly<Record<string, string | null>>;
  readonly modes?: Readonly<Record<string, number | null>>;
  /** User ids; what is not named is root's. */
  readonly owners?: Readonly<Record<string, number>>;
  /** The output of pppd; null: there is no pppd. */
  readonly pppd?: string | null;
  /** The result of pppd's dryrun. */
  readonly dryrun?: CommandResult;
  readonly modules?: readonly string[];
  readonly networks?: readonly { name: string; cidr: string }[];
  /** The error of /dev/ppp. */
  readonly device?: string | null;
  /** The error of /dev/net/tun. */
  readonly tun?: string | null;
  /** A monitor runs. */
  readonly monitor?: boolean;
  /** Why the section `network` cannot be put into force. */
  readonly network?: NetworkProblem | null;
  /** `nft --json list ruleset`. */
  readonly nft?: unknown;
  /** Root runs the checks. */
  readonly root?: boolean;
  /** Node.js's error when it loads raw-socket. */
  readonly rawSocket?: Error | null;
  readonly gre?: string | null;
  readonly listen?: Failure | null;
  /** Paths; true: all. */
  readonly unwritable?: boolean | readonly string[];
  /** All file systems. */
  readonly readOnly?: boolean;
  /** This user may not run pppd. */
  readonly forbidden?: boolean;
  readonly node?: string;
  /** The existing users. */
  readonly users?: readonly string[];
}

/** A machine that has everything, except as the test describes. */
function machine({
  files,
  modes,
  owners = {},
  pppd = 'pppd version 2.4.9',
  dryrun = { code: 0, output: '' },
  modules = ['ppp_generic', 'ppp_async', 'ppp_mppe'],
  networks = [],
  device = null,
  tun = null,
  monitor = false,
  network = null,
  nft = null,
  root = true,
  rawSocket = null,
  gre = null,
  listen = null,
  unwritable,
  readOnly = false,
  forbidden,
  node = 'v20.11.0',
  users = ['pptpd-ts'],
}: Description): Machine {
  const content: Record<string, string | null> = {
    '/proc/self/status': 'CapEff:\t000001ffffffffff\n',
    '/proc/misc': '108 ppp\n',
    '/proc/tty/ldiscs': 'n_tty       0\nppp         3\n',
    '/proc/sys/kernel/osrelease': '6.1.0\n',
    '/proc/sys/kernel/hostname': 'gateway\n',
    '/proc/sys/net/ipv4/ip_forward': '1\n',
    '/etc/ppp/options': '# nothing\n',
    [OPTIONS]: 'name pptpd\nrequire-mschap-v2\nrequire-mppe-128\n',
    '/etc/ppp/chap-secrets': 'alice * secret *\n',
    ...files,
  };
  const bits: Record<string, number | null> = {
    '/lib/modules/6.1.0': 0o40755,
    '/sys/module/ppp_mppe': 0o40755,
    '/etc/ppp/chap-secrets': 0o100600,
    '/etc/ppp/pap-secrets': 0o100600,
    '/usr/sbin/pppd': 0o104754,
    '/run': 0o40755,
    '/var': 0o40755,
    ...modes,
  };
  return {
    node: { version: node, arch: 'x64' },
    read: (path) => content[path] ?? null,
    mode: (path) => (path === '/usr/sbin/pppd' && pppd === null ? null : (bits[path] ?? null)),
    owner: (path) => (bits[path] == null ? null : (owners[path] ?? 0)),
    isExecutable: () => pppd !== null && forbidden !== true,
    isWritable: (path) =>
      !readOnly && (typeof unwritable === 'object' ? !unwritable.includes(path) : unwritable !== true),
    isReadOnly: () => readOnly,
    run: async (path, args) => {
      if (path === 'id') return Promise.resolve({ code: users.includes(args.at(-1) ?? '') ? 0 : 1, output: '' });
      if (path === 'modprobe')
        return Promise.resolve({ code: modules.includes(args.at(-1) ?? '') ? 0 : 1, output: '' });
      return Promise.resolve(args.includes('dryrun') ? dryrun : { code: 0, output: pppd ?? '' });
    },
    openDevice: (path) => (path === '/dev/net/tun' ? tun : device),
    isRoot: root,
    hasMonitor: async () => Promise.resolve(monitor),
    findNetworkProblem: async () => Promise.resolve(network),
    firewallRules: async () => Promise.resolve({ nft, legacy: null }),
    networks: () => networks,
    loadModule: async (name) => Promise.resolve(name === 'raw-socket' ? rawSocket : null),
    openGreSocket: async () => Promise.resolve(gre),
    tryListen: async () => Promise.resolve(listen),
  };
}

const failed = (results: readonly CheckResult[]): string[] =>
  results.flatMap((result) => (result.outcome.ok ? [] : result.name));

test('all checks pass on a machine that has everything', async () => {
  assert.deepEqual(failed(await runChecks(configuration, { machine: machine({}) })), []);
});

const cases: [title: string, description: Description, fails: string, sentence: RegExp, fatal: boolean][] = [
  [
    'root without capabilities',
    { files: { '/proc/self/status': 'CapEff:\t0000000000000000\n' } },
    'privileges',
    /root without CAP_NET_ADMIN, CAP_NET_RAW; remedy: add what is missing to CapabilityBoundingSet=/,
    true,
  ],
  [
    'root without one capability',
    { files: { '/proc/self/status': 'CapEff:\t0000000000001000\n' } },
    'privileges',
    /without CAP_NET_RAW;/,
    true,
  ],
  [
    'a privileged port',
    {
      files: {
        '/proc/self/status': 'CapEff:\t0000000000003000\n',
        '/proc/sys/net/ipv4/ip_unprivileged_port_start': '2000\n',
      },
    },
    'privileges',
    /without CAP_NET_BIND_SERVICE;/,
    true,
  ],
  ['no pppd', { pppd: null }, 'pppd', /\/usr\/sbin\/pppd is missing.*apt-get install ppp/, true],
  [
    'native modules of another Node.js; privileges and address are not blamed',
    {
      rawSocket: Object.assign(new Error('The module was compiled against …'), { code: 'ERR_DLOPEN_FAILED' }),
      gre: 'The module was compiled against …',
      listen: { message: 'The module was compiled against …' },
    },
    'native modules',
    /raw-socket does not load: it was built for a Node\.js other than v\d.*; remedy: run \/.*\/scripts\/setup$/,
    true,
  ],
  [
    'native modules that were not built',
    { rawSocket: Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' }) },
    'native modules',
    /raw-socket is missing, or was not built; remedy: run \/.*\/scripts\/setup$/,
    true,
  ],
  [
    'native modules that fail with another error',
    { rawSocket: new Error('Failed to load native module: pty.node\nRequire stack: …') },
    'native modules',
    /raw-socket does not load: Failed to load native module: pty\.node; remedy: run/,
    true,
  ],
  [
    'a Node.js that is too old',
    { node: 'v18.20.4' },
    'Node.js',
    /v18\.20\.4 is too old; this program needs 20\.11/,
    true,
  ],
  [
    'a Node.js that is not tested',
    { node: 'v20.10.9' },
    'Node.js',
    /v20\.10\.9 is older than the versions that this program is tested with/,
    false,
  ],
  [
    'no PPP in the kernel',
    { device: 'ENOENT', files: { '/proc/misc': '', '/proc/tty/ldiscs': '' }, modules: [] },
    'kernel PPP',
    /this kernel has no PPP: no \/dev\/ppp, and no module ppp_generic; remedy: boot a kernel with CONFIG_PPP/,
    true,
  ],
  [
    'a device that the kernel does not support',
    { device: 'ENXIO', files: { '/proc/misc': '' }, modules: [] },
    'kernel PPP',
    /this kernel has no PPP/,
    true,
  ],
  [
    'a kernel that has PPP, but no device',
    { device: 'ENOENT' },
    'kernel PPP',
    /\/dev\/ppp is missing; remedy: modprobe -a ppp_generic ppp_async; if it stays missing: mknod/,
    true,
  ],
  [
    'modules that are not loaded, so that the device is missing',
    { device: 'ENOENT', files: { '/proc/misc': '', '/proc/tty/ldiscs': '' } },
    'kernel PPP',
    /\/dev\/ppp is missing; remedy: modprobe -a ppp_generic/,
    true,
  ],
  [
    'a container without the device',
    { device: 'EPERM' },
    'kernel PPP',
    /--device \/dev\/ppp --cap-add NET_ADMIN/,
    true,
  ],
  [
    'PPP without the line discipline',
    { files: { '/proc/tty/ldiscs': 'n_tty 0\n' }, modules: ['ppp_generic', 'ppp_mppe'] },
    'kernel PPP',
    /no PPP for a pty: no module ppp_async/,
    true,
  ],
  [
    'no MPPE although it is required',
    { modes: { '/sys/module/ppp_mppe': null }, modules: ['ppp_async'] },
    'MPPE',
    /no module ppp_mppe, and pppd's options require encryption: nobody can log in/,
    true,
  ],
  [
    'no MPPE, which is not required',
    {
      modes: { '/sys/module/ppp_mppe': null },
      files: { [OPTIONS]: 'require-mschap-v2\n' },
      modules: ['ppp_async'],
    },
    'MPPE',
    /clients that require encryption cannot log in/,
    false,
  ],
  [
    'no MPPE, which a later option makes optional',
    {
      modes: { '/sys/module/ppp_mppe': null },
      files: { '/etc/ppp/options': 'require-mppe\n', [OPTIONS]: 'require-mschap-v2\nnomppe\n' },
      modules: ['ppp_async'],
    },
    'MPPE',
    /clients that require encryption cannot log in/,
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
    'the option silent, with which pppd and the client wait for each other',
    { files: { [OPTIONS]: 'require-mschap-v2\nsilent\n' } },
    'options file',
    /options say silent: .*nobody can log in; remedy: remove "silent" from \/etc\/ppp\/options\.pptpd/,
    true,
  ],
  [
    'an option that pppd does not know',
    {
      dryrun: {
        code: 2,
        output: `/usr/sbin/pppd: In file ${OPTIONS}: unrecognized option 'requir-mschap'\nmore words`,
      },
    },
    'options file',
    /does not accept its options: In file \/etc\/ppp\/options\.pptpd: unrecognized option 'requir-mschap'; remedy: .*check them by: \/usr\/sbin\/pppd dryrun notty file \/etc\/ppp\/options\.pptpd$/,
    true,
  ],
  [
    'options that require no login',
    { files: { [OPTIONS]: 'name pptpd\n' } },
    'authentication',
    /require no authentication.*remedy: set "authentication": \["ms-chap-v2"\] and "encryption": "require" in the section "ppp"/,
    false,
  ],
  [
    'options that say noauth',
    { files: { [OPTIONS]: 'auth\nnoauth\n' } },
    'authentication',
    /say noauth: clients get in without a password/,
    false,
  ],
  [
    'no secrets',
    { files: { '/etc/ppp/chap-secrets': null } },
    'secrets',
    /chap-secrets is missing.*nobody can log in; remedy: echo 'USER pptpd "PASSWORD" \*' >> \/etc\/ppp\/chap-secrets/,
    false,
  ],
  ['secrets without a user', { files: { '/etc/ppp/chap-secrets': '# none\n' } }, 'secrets', /names no user/, false],
  [
    'secrets of another server',
    { files: { '/etc/ppp/chap-secrets': 'alice l2tpd secret *\nbob "l2tpd" "two words" *\n' } },
    'secrets',
    /no user of the server "pptpd" \(pppd's option "name", or ppp\.name\), only of others: nobody can log in/,
    false,
  ],
  [
    'secrets that others can read',
    { modes: { '/etc/ppp/chap-secrets': 0o100644 } },
    'secrets',
    /can be read by others; remedy: chmod 600/,
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
    'a firewall that drops what clients send',
    {
      nft: {
        nftables: [{ chain: { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' } }],
      },
    },
    'other firewalls',
    /chain FORWARD of the table "ip filter" drops what clients send through this machine; remedy: iptables -I FORWARD -i ppp\+/,
    false,
  ],
  [
    'a port that another program listens on',
    { listen: { code: 'EADDRINUSE', message: '' } },
    'listening',
    /cannot listen on 0\.0\.0\.0:1723: another program already listens there; remedy: .*ss -ltnp/,
    true,
  ],
  [
    'a port that pptpd listens on',
    {
      listen: { code: 'EADDRINUSE', message: '' },
      files: { '/run/pptpd.pid': '77\n', '/proc/77/cmdline': '/usr/sbin/pptpd\0' },
    },
    'listening',
    /pptpd \(process 77\) listens there; remedy: systemctl disable --now pptpd/,
    true,
  ],
  [
    'a pid file whose process is another program',
    {
      listen: { code: 'EADDRINUSE', message: '' },
      files: { '/run/pptpd-ts/manager.pid': '77\n', '/proc/77/cmdline': 'sleep\u00001000\0' },
    },
    'listening',
    /another program already listens there/,
    true,
  ],
  [
    'an address that this machine does not have',
    { listen: { code: 'EADDRNOTAVAIL', message: '' } },
    'listening',
    /this machine has no such address; remedy: see `ip address`/,
    true,
  ],
  [
    'an error that doctor does not know',
    { listen: { code: 'ENODEV', message: 'cannot bind to the device blue (listen.vrf): No such device' } },
    'listening',
    /cannot bind to the device blue \(listen\.vrf\): No such device; remedy: correct listen\.address or listen\.vrf/,
    true,
  ],
  [
    'a pool that contains the machine’s own address',
    { networks: [{ name: 'eth0', cidr: '198.51.100.15/32' }] },
    'address pool',
    /198\.51\.100\.15 is in addresses\.remote and is this machine's own \(eth0\)/,
    false,
  ],
  [
    'a pool inside a local network',
    { networks: [{ name: 'eth0', cidr: '198.51.100.1/24' }] },
    'address pool',
    /198\.51\.100\.10 lies in the network 198\.51\.100\.0\/24 of eth0.*remedy: set "proxyArp": true in the section "ppp"/,
    false,
  ],
  ['a run directory that cannot be written', { unwritable: true }, 'run directory', /\/run cannot be written to/, true],
  [
    'a read-only root',
    { readOnly: true },
    'run directory',
    /\/run cannot be written to \(runDirectory\): its file system is read-only; remedy: mount a writable one there/,
    true,
  ],
];

for (const [title, description, name, sentence, fatal] of cases) {
  test(`${title}: one message with a remedy`, async () => {
    const results = await runChecks(configuration, { machine: machine(description) });
    assert.deepEqual(failed(results), [name]);
    const result = results.find((each) => each.name === name && !each.outcome.ok);
    assert.ok(result !== undefined);
    assert.equal(result.fatal, fatal);
    assert.match(formatFailure(result) ?? '', sentence);
  });
}

test('checks that need missing privileges are skipped', async () => {
  const poor = machine({
    files: { '/proc/self/status': 'CapEff:\t0\n' },
    gre: 'Operation not permitted',
    unwritable: true,
  });
  assert.deepEqual(failed(await runChecks(configuration, { machine: poor })), ['privileges']);
  const notRoot = machine({ files: { '/proc/self/status': 'Uid:\t998\t998\t998\t998\nCapEff:\t0\n' }, root: false });
  assert.deepEqual(failed(await runChecks(builtin, { machine: notRoot })), ['privileges']);
});

/** What the check reports if it passes. */
async function detail(name: string, description: Description, settings: object = {}): Promise<string | undefined> {
  const results = await runChecks(configurationSchema.parse({ ...given, ...settings }), {
    machine: machine(description),
  });
  assert.deepEqual(failed(results), []);
  const outcome = results.find((each) => each.name === name)?.outcome;
  return outcome?.ok ? outcome.detail : undefined;
}

const allowed: [title: string, name: string, description: Description, says: RegExp, settings?: object][] = [
  [
    'a pool inside a local network with proxyarp',
    'address pool',
    {
      networks: [{ name: 'eth0', cidr: '198.51.100.1/24' }],
      files: { [OPTIONS]: 'require-mschap-v2\nname pptpd\nproxyarp\n' },
    },
    /11 addresses, none in conflict/,
  ],
  [
    'a pool inside a local network with proxy_arp on the device',
    'address pool',
    {
      networks: [{ name: 'eth0', cidr: '198.51.100.1/24' }],
      files: { '/proc/sys/net/ipv4/conf/eth0/proxy_arp': '1\n' },
    },
    /none in conflict/,
  ],
  [
    'tunnels of a running server',
    'address pool',
    { networks: [{ name: 'ppp0', cidr: '192.0.2.1/32' }] },
    /none in conflict/,
  ],
  [
    'a port that pptpd-ts itself listens on',
    'listening',
    {
      listen: { code: 'EADDRINUSE', message: '' },
      files: { '/run/pptpd-ts/manager.pid': '77\n', '/proc/77/cmdline': 'pptpd-ts manager' },
    },
    /pptpd-ts itself listens \(process 77\)/,
  ],
  [
    'an unprivileged port needs no capability',
    'privileges',
    { files: { '/proc/self/status': 'CapEff:\t0000000000003000\n' } },
    /^root$/,
    { listen: { port: 1723 } },
  ],
  [
    'users of RADIUS',
    'secrets',
    { files: { [OPTIONS]: 'plugin radius.so\nrequire-mschap-v2\n', '/etc/ppp/chap-secrets': null } },
    /users come from pppd's plugin radius\.so/,
  ],
  [
    'users of this server besides those of others',
    'secrets',
    { files: { '/etc/ppp/chap-secrets': 'a pptpd x *\nb l2tpd x *\n# c * x *\n"d e" "pptpd" "x # y" *\n' } },
    /chap-secrets, 2 users$/,
  ],
  [
    'options of the command line count',
    'authentication',
    { files: { [OPTIONS]: 'name pptpd\n' } },
    /^require-mschap-v2, encryption is not required$/,
    { pppd: { options: OPTIONS, args: ['require-mschap-v2'] } },
  ],
  [
    'a value that looks like an option',
    'options file',
    { files: { [OPTIONS]: 'require-mschap-v2\nrequire-mppe\nname pptpd\nipparam silent\n' } },
    /options\.pptpd$/,
  ],
  ['MPPE built into the kernel', 'MPPE', { files: { '/proc/modules': '' }, modules: [] }, /^ppp_mppe is loaded$/],
  [
    'an existing accounting file in a folder of root’s',
    'files',
    { modes: { '/var/log/accounts': 0o100644 }, unwritable: ['/var', '/var/log'] },
    /^\/var\/log\/accounts$/,
    { accounting: { file: '/var/log/accounts' } },
  ],
  [
    'root without CAP_NET_ADMIN, and a program other than pppd',
    'privileges',
    { pppd: 'a PPP of its own', files: { '/proc/self/status': 'CapEff:\t0000000000002400\n' } },
    /^root$/,
  ],
  [
    'both secrets files if every login is accepted, and the one for PAP is for another server',
    'secrets',
    {
      files: {
        [OPTIONS]: 'auth\nname pptpd\nrequire-mppe\nrequire-mschap\n',
        '/etc/ppp/pap-secrets': '* hostname "" *\n',
      },
    },
    /^\/etc\/ppp\/chap-secrets, 1 user$/,
  ],
];

for (const [title, name, description, says, settings] of allowed) {
  test(`${title}: the check passes`, async () => assert.match((await detail(name, description, settings)) ?? '', says));
}

test('a program other than pppd needs neither PPP in the kernel nor valid pppd options', async () => {
  const other: Description = {
    pppd: 'a PPP of its own',
    device: 'ENOENT',
    files: { '/proc/misc': '', '/proc/modules': '', '/proc/tty/ldiscs': '' },
    modules: [],
    dryrun: { code: 2, output: 'what is dryrun?' },
  };
  assert.match((await detail('kernel PPP', other)) ?? '', /not needed by this program/);
});

test('options that only root may set, of the section `ppp`: the remedy is a file in /etc/ppp/peers', async () => {
  const named = configurationSchema.parse({
    ...given,
    user: 'pptpd-ts',
    ppp: { name: 'vpn' },
    pppd: { options: PEER },
  });
  const dryrun = { code: 2, output: 'pppd: using the name option requires root privilege' };
  const results = await runChecks(named, { machine: machine({ ...unprivileged, dryrun }) });
  assert.deepEqual(failed(results), ['options file']);
  assert.match(
    results.map(formatFailure).join('\n'),
    /does not accept ppp\.name from a server that is not root: using the name option requires root privilege; remedy: remove ppp\.name, echo 'name vpn' >> \/etc\/ppp\/peers\/pptpd-ts/,
  );
});

test('a missing pppd is reported once', async () => {
  const results = await runChecks(configuration, {
    machine: machine({ pppd: null, device: 'ENOENT', modules: [], files: { [OPTIONS]: null } }),
  });
  assert.deepEqual(failed(results), ['pppd']);
});

test('docs/commands.md shows all checks in their order', async () => {
  const names = (await runChecks(configuration, { machine: machine({}) })).map(({ name }) => name);
  assert.deepEqual(
    recorded('doctor').map((line) => /^ok {4}([^:]+): ./.exec(line)?.[1]),
    names,
  );
});

test('each program is run once', async () => {
  const calls: string[] = [];
  const real = machine({ files: { '/proc/modules': '', '/proc/tty/ldiscs': '' } });
  const counted: Machine = {
    ...real,
    run: async (path, args) => {
      calls.push([path, ...args].join(' '));
      return real.run(path, args);
    },
  };
  await runChecks(configuration, { machine: counted });
  assert.deepEqual(calls, [...new Set(calls)]);
  assert.ok(calls.includes('/usr/sbin/pppd --version'));
});

test('serve runs the checks that are fatal or logged, but not the listening check', async () => {
  const results = await runChecks(configuration, {
    only: 'start',
    machine: machine({ listen: { code: 'EADDRINUSE', message: '' } }),
  });
  assert.deepEqual(failed(results), []);
  assert.deepEqual(
    results.flatMap(({ name, fatal }) => (fatal ? [] : name)),
    ['authentication'],
  );
  const names = results.map(({ name }) => name);
  assert.ok(names.includes('MPPE') && !names.includes('forwarding') && !names.includes('listening'), names.join());
});

const PEER = '/etc/ppp/peers/pptpd-ts';
const asUser = configurationSchema.parse({ ...given, user: 'pptpd-ts', pppd: { options: PEER } });
const identity = (more = 'CapEff:\t0000000000002000\nCapBnd:\t00000000000030c2\nNoNewPrivs:\t0\n'): string =>
  `Name:\tnode\nUid:\t998\t998\t998\t998\n${more}`;
/** The machine as a server that is not root sees it. */
const unprivileged: Description = {
  device: 'EACCES',
  files: {
    '/proc/self/status': identity(),
    [PEER]: `file ${OPTIONS}\n`,
    '/etc/ppp/chap-secrets': null,
  },
  modes: { '/dev/ppp': 0o20600 },
};

test('a server that is not root needs only CAP_NET_RAW and a set-uid pppd with options by call', async () => {
  const results = await runChecks(asUser, { machine: machine(unprivileged) });
  assert.deepEqual(failed(results), []);
  const says = new Map(results.map(({ name, outcome }) => [name, outcome.ok ? outcome.detail : '']));
  assert.equal(says.get('privileges'), 'uid 998 with CAP_NET_RAW');
  assert.equal(says.get('kernel PPP'), '/dev/ppp is there, ppp_async is loaded');
  assert.equal(says.get('authentication'), 'require-mschap-v2, require-mppe-128', 'of the file that the file names');
  assert.equal(says.get('secrets'), '/etc/ppp/chap-secrets: only root can read it');
});

const poorUsers: [title: string, description: Description, fails: string, sentence: RegExp][] = [
  ['a user that does not exist', { users: [] }, 'user', /no user "pptpd-ts" \(user\); remedy: adduser --system .* dip/],
  [
    'no capability',
    { files: { ...unprivileged.files, '/proc/self/status': identity('CapEff:\t0\n') } },
    'privileges',
    /uid 998 without CAP_NET_RAW; remedy: run it as root/,
  ],
  [
    'a pppd that it may not run',
    { forbidden: true },
    'pppd',
    /pptpd-ts may not run \/usr\/sbin\/pppd; remedy: adduser pptpd-ts dip/,
  ],
  [
    'a pppd that is not set-uid',
    { dryrun: { code: 3, output: 'must be root to run pppd' } },
    'pppd',
    /pppd is not set-uid root, and the server is not root/,
  ],
  [
    'no new privileges',
    {
      files: {
        ...unprivileged.files,
        '/proc/self/status': identity('CapEff:\t0000000000002000\nNoNewPrivs:\t1\n'),
      },
      dryrun: { code: 3, output: 'must be root to run pppd' },
    },
    'pppd',
    /pppd cannot become root: .*NoNewPrivileges=no/,
  ],
  [
    'a bounding set without what pppd needs',
    {
      files: {
        ...unprivileged.files,
        '/proc/self/status': identity('CapEff:\t0000000000002000\nCapBnd:\t0000000000002000\n'),
      },
    },
    'pppd',
    /pppd cannot get CAP_NET_ADMIN, CAP_DAC_OVERRIDE: the bounding set/,
  ],
  [
    'a run directory of another user',
    { unwritable: true, modes: { ...unprivileged.modes, '/run/pptpd-ts': 0o40750 } },
    'run directory',
    /\/run\/pptpd-ts cannot be written to \(runDirectory\); remedy: chown -R pptpd-ts: \/run\/pptpd-ts/,
  ],
];

for (const [title, description, name, sentence] of poorUsers) {
  test(`a server that is not root, ${title}: one message with a remedy`, async () => {
    const results = await runChecks(asUser, { machine: machine({ ...unprivileged, ...description }) });
    assert.equal(failed(results)[0], name);
    assert.match(results.map(formatFailure).join('\n'), sentence);
  });
}

test('pppd needs no CAP_SETUID and CAP_SETGID, and a script that calls it needs no set-uid bit', async () => {
  const enough: Description = {
    ...unprivileged,
    files: {
      ...unprivileged.files,
      '/proc/self/status': identity('CapEff:\t0000000000002000\nCapBnd:\t0000000000003002\n'),
    },
    modes: { ...unprivileged.modes, '/usr/sbin/pppd': 0o100755 },
  };
  assert.deepEqual(failed(await runChecks(asUser, { machine: machine(enough) })), []);
});

test('options that only root may set: the remedy is a file in /etc/ppp/peers', async () => {
  const direct = configurationSchema.parse({ ...given, user: 'pptpd-ts' });
  const dryrun = { code: 2, output: 'pppd: using the name option requires root privilege' };
  const results = await runChecks(direct, { machine: machine({ ...unprivileged, dryrun }) });
  assert.deepEqual(failed(results), ['options file']);
  assert.match(
    results.map(formatFailure).join('\n'),
    /does not accept \/etc\/ppp\/options\.pptpd from a server that is not root: using the name option requires root privilege; remedy: .*"options": "\/etc\/ppp\/peers\/pptpd-ts"/,
  );
});

test('folders of log, accounts and pid file must be writable', async () => {
  const elsewhere = configurationSchema.parse({ ...given, log: { directory: '/var/log/pptpd-ts' } });
  const results = await runChecks(elsewhere, {
    machine: { ...machine({}), isWritable: (path) => !path.startsWith('/var') },
  });
  assert.deepEqual(failed(results), ['files']);
  assert.match(
    results.map(formatFailure).join('\n'),
    /\/var cannot be written to \(log\.directory\); remedy: run it as root/,
  );
});

const advice: [key: string, settings: object, obstacle: string, sentence: RegExp][] = [
  [
    'log.directory',
    { log: { directory: '/var/log' } },
    '/var/log',
    /\(log\.directory\); remedy: name a log\.directory below \/var\/log\/pptpd-ts, which serve makes for pptpd-ts$/,
  ],
  [
    'accounting.file',
    { accounting: { file: '/srv/vpn/accounts' } },
    '/srv/vpn',
    /\(accounting\.file\); remedy: chown -R pptpd-ts: \/srv\/vpn, or name another accounting\.file$/,
  ],
];
for (const [key, settings, obstacle, sentence] of advice) {
  test(`${key} in ${obstacle}: the remedy does not change the owner of a shared folder`, async () => {
    const elsewhere = configurationSchema.parse({ ...given, user: 'pptpd-ts', pppd: { options: PEER }, ...settings });
    const results = await runChecks(elsewhere, {
      machine: machine({
        ...unprivileged,
        modes: { ...unprivileged.modes, [obstacle]: 0o40755 },
        unwritable: [obstacle],
      }),
    });
    assert.deepEqual(failed(results), ['files']);
    assert.match(results.map(formatFailure).join(''), sentence);
  });
}

/** Options of pppd, and the warning about them; null: none. */
const logins: [words: string, sentence: RegExp | null][] = [
  ['require-mschap-v2\nrequire-mppe-128', null],
  ['require-mschap-v2', null],
  ['require-mschap\n+mppe', null],
  [
    'auth',
    /\(auth\) require neither MS-CHAPv2 nor MPPE: clients may send their password and everything else in plain text/,
  ],
  [
    'require-mschap',
    /\(require-mschap\) require neither MS-CHAPv2 nor MPPE: clients may log in by a weaker method and send everything/,
  ],
  ['require-mschap-v2\nrequire-pap', /neither MS-CHAPv2 nor MPPE: clients may send their password and/],
  ['require-mschap-v2\nrequire-chap\nnomppe', /log in by a weaker method/],
  // From a published options file. A client that answers with MS-CHAPv2 can log in.
  [
    'auth\nrefuse-pap\nrequire-mppe',
    /say require-mppe, whose keys come from MS-CHAP, and accept other logins too \(auth\): a client that uses one of those is refused after the login; remedy: set "authentication": \["ms-chap-v2"\] in the section "ppp"/,
  ],
  [
    'require-pap\nrequire-mppe',
    /say require-mppe, .* and require-pap: only a client that makes the server log in by MS-CHAP gets in/,
  ],
  ['require-mppe', /say require-mppe, whose keys come from MS-CHAP, and require no login: only a client that makes/],
  ['# nothing', /require no authentication: clients may get in without a password/],
  ['require-mschap-v2\nnoauth', /say noauth: clients get in without a password; remedy: remove "noauth"/],
];
for (const [words, sentence] of logins) {
  test(`login and encryption by "${words.replaceAll('\n', ' ')}": ${sentence === null ? 'no warning' : 'a warning'}`, async () => {
    const results = await runChecks(configuration, {
      only: 'start',
      machine: machine({ files: { [OPTIONS]: `name pptpd\n${words}\n` } }),
    });
    assert.deepEqual(failed(results), sentence === null ? [] : ['authentication']);
    const result = results.find(({ name }) => name === 'authentication');
    assert.equal(result?.fatal, false);
    if (sentence !== null) assert.match(formatFailure(result) ?? '', sentence);
  });
}

/** pppd 2.5 takes `require-mppe` as `require-mppe-40`. */
const fortyBits: [version: string, words: string, warns: boolean][] = [
  ['2.4.9', 'require-mppe', false],
  ['2.5.2', 'require-mppe', true],
  ['2.10.0', '+mppe', true],
  ['2.5.2', 'require-mppe-128\nrequire-mppe', true],
  ['2.5.2', 'require-mppe\nrequire-mppe-128', false],
  ['2.5.2', 'require-mppe\nnomppe-128', false],
  ['2.5.2', 'require-mppe-40', false],
  ['2.5.2', 'require-mppe\nnomppe', false],
];
for (const [version, words, warns] of fortyBits) {
  test(`"${words.replaceAll('\n', ' ')}" with pppd ${version}: ${warns ? 'a' : 'no'} warning of keys of 40 bits`, async () => {
    const files = { [OPTIONS]: `name pptpd\nrequire-mschap-v2\n${words}\n` };
    const results = await runChecks(configuration, { machine: machine({ pppd: `pppd version ${version}`, files }) });
    const sentence = results.map(formatFailure).find((each) => each?.includes('40 bits')) ?? null;
    assert.equal(sentence !== null, warns);
    if (warns)
      assert.match(sentence ?? '', new RegExp(`pppd ${version} takes as require-mppe-40.*; remedy: replace it by`));
  });
}

test('a configuration without an options file: a warning with the section `ppp` as remedy', async () => {
  const results = await runChecks(configurationSchema.parse({}), {
    machine: machine({ files: { '/etc/ppp/options': 'auth\nlock\n' } }),
  });
  assert.deepEqual(failed(results), ['authentication']);
  assert.match(
    results.map(formatFailure).join(''),
    /neither MS-CHAPv2 nor MPPE: .*remedy: set "authentication": \["ms-chap-v2"\] and "encryption": "require" in the section "ppp"$/,
  );
});

/** The messages about secrets in order; null for a check that passed. */
async function ofSecrets(description: Description): Promise<(string | null)[]> {
  const results = await runChecks(configuration, { machine: machine(description) });
  return results.filter(({ name }) => name === 'secrets').map(formatFailure);
}

const secretsFile = (text: string): Description => ({ files: { '/etc/ppp/chap-secrets': text } });

test('each wrong line of the secrets is reported with its number', async () => {
  const said = await ofSecrets(secretsFile('alice pptpd x *\n\ncarol pptpd y\nbob pptpd x#y *\n'));
  assert.equal(said.length, 3);
  assert.equal(said[0], null);
  assert.match(said[1] ?? '', /^\/etc\/ppp\/chap-secrets:3: "carol" has no fourth column: .*; remedy: add \* /);
  assert.match(
    said[2] ?? '',
    /^\/etc\/ppp\/chap-secrets:4: "bob": the server reads everything after an unquoted # as a comment; remedy: /,
  );
});

test('at most 20 lines of the secrets are reported', async () => {
  const said = await ofSecrets(secretsFile(`alice pptpd x *\n${'carol pptpd\n'.repeat(30)}`));
  assert.equal(said.length, 22);
  assert.match(said.at(-1) ?? '', /chap-secrets: 10 more lines like these/);
});

const texts: [title: string, text: string, sentence: RegExp][] = [
  ['UTF-16', 'a\0l\0', /has null bytes \(UTF-16\?\): the server finds no name in it/],
  ['CR as line ends', 'alice pptpd x *\rbob pptpd x *\r', /has CR as line ends: the server reads it as one line/],
  [
    'users who are all excluded',
    'alice pptpd x *\n'.replace('*', '-'),
    /"alice" may have no IP address and is the first user/,
  ],
  ['a line of another server without a line end', 'alice l2tpd x *', /only of others: nobody can log in/],
  [
    'a comment without a line end',
    '# none',
    /names no user: nobody can log in; remedy: echo >> \/etc\/ppp\/chap-secrets; echo 'USER pptpd/,
  ],
];
for (const [title, text, sentence] of texts) {
  test(`secrets, ${title}`, async () => {
    const said = await ofSecrets(secretsFile(text));
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', sentence);
  });
}

test('fixed addresses inside the pool are reported', async () => {
  const said = await ofSecrets(
    secretsFile('a pptpd x 198.51.100.12\nb pptpd x 198.51.100.99\nc pptpd x *\nd pptpd x 198.51.100.13/32\n'),
  );
  assert.equal(said.length, 2);
  assert.equal(said[0], null);
  assert.match(
    said[1] ?? '',
    /fixed addresses lie inside addresses\.remote \("a" 198\.51\.100\.12, "d" 198\.51\.100\.13\): such an address works unless .*; remedy: remove them from addresses\.remote/,
  );
});

test('secrets for PAP, if PAP is required', async () => {
  const [said] = await ofSecrets({ files: { [OPTIONS]: 'require-pap\n' } });
  assert.match(said ?? '', /pap-secrets is missing.*echo 'USER gateway "PASSWORD" \*' >> \/etc\/ppp\/pap-secrets/);
});

test('secrets for PAP and CHAP, if a client may choose', async () => {
  const said = await ofSecrets({
    files: { [OPTIONS]: 'auth\nname pptpd\n', '/etc/ppp/pap-secrets': '* pptpd "" *\n' },
  });
  assert.equal(said[0], null);
  assert.match(said.join(''), /pap-secrets:1: "\*" can log in with any password/);
});

test('secrets in another file, named by an option of pppd 2.5', async () => {
  const said = await ofSecrets({
    files: { [OPTIONS]: 'require-mschap-v2\nchap-secrets /etc/vpn\n', '/etc/vpn': 'a * x\n' },
  });
  assert.match(said.join(''), /^\/etc\/vpn:1: "a" may have no IP address/);
});

test('an error that pppd reports about its secrets is shown if nothing else is wrong', async () => {
  const words =
    "pppd: The remote system is required to authenticate itself\npppd: but I couldn't find any suitable secret";
  const [said] = await ofSecrets({ dryrun: { code: 1, output: words } });
  assert.match(
    said ?? '',
    /^pppd does not start, and nobody can log in: The remote system is required to authenticate itself but I/,
  );
});

const builtin = configurationSchema.parse({ ...given, ppp: { engine: 'builtin' } });
/** A machine of a container: neither pppd nor PPP in the kernel. */
const container: Description = {
  pppd: null,
  device: 'ENOENT',
  modules: [],
  files: { '/proc/misc': '200 tun\n', '/proc/tty/ldiscs': '', [OPTIONS]: null },
  modes: { '/lib/modules/6.1.0': null, '/sys/module/ppp_mppe': null },
};
const auto = configurationSchema.parse({ ...given, ppp: {} });

const engines: [title: string, settings: typeof configuration, description: Description, says: string][] = [
  ['pppd where everything is there', auto, {}, 'pppd: /usr/sbin/pppd is installed and the kernel has PPP'],
  [
    'builtin without pppd',
    auto,
    container,
    'builtin: /usr/sbin/pppd is not installed; data path tun: the kernel has no module ppp_generic',
  ],
  [
    'builtin without PPP in the kernel',
    auto,
    { ...container, pppd: 'pppd version 2.4.9' },
    "builtin: the kernel's PPP cannot be used here (/dev/ppp: ENOENT); data path tun: the kernel has no module ppp_generic",
  ],
  ['pppd by configuration', configuration, {}, 'pppd: ppp.engine says so'],
  [
    'builtin by configuration',
    builtin,
    {},
    'builtin: ppp.engine says so; data path tun: the kernel has no module pppox',
  ],
];
for (const [title, settings, description, says] of engines) {
  test(`the first line says which engine serves, and why: ${title}`, async () => {
    const results = await runChecks(settings, { machine: machine(description) });
    assert.deepEqual(failed(results), []);
    assert.deepEqual(results[0], { name: 'PPP engine', fatal: false, outcome: { ok: true, detail: says } });
  });
}

test('proxy ARP of the options file that the section `ppp` turns off counts as off', async () => {
  const settings = configurationSchema.parse({ ...given, ppp: { engine: 'pppd', proxyArp: false } });
  const results = await runChecks(settings, {
    machine: machine({
      networks: [{ name: 'eth0', cidr: '198.51.100.1/24' }],
      files: { [OPTIONS]: 'require-mschap-v2\nname pptpd\nproxyarp\n' },
    }),
  });
  assert.deepEqual(failed(results), ['address pool']);
});

test('the engine that was chosen before counts, whatever the machine has', async () => {
  const dataPath = { kind: 'tun', because: 'so is the path' } as const;
  const engine = { engine: 'builtin', because: 'as root found it', dataPath } as const;
  const results = await runChecks(auto, { machine: machine({}), engine });
  assert.deepEqual(results[0]?.outcome, {
    ok: true,
    detail: 'builtin: as root found it; data path tun: so is the path',
  });
  assert.ok(results.some(({ name }) => name === 'TUN device'));
  const started = await runChecks(auto, { only: 'start', machine: machine({ tun: 'EPERM' }), engine });
  assert.deepEqual(failed(started), ['TUN device']);
});

test('a pppd whose group the server’s user is not in is there', async () => {
  const results = await runChecks(auto, { machine: machine({ forbidden: true }) });
  assert.deepEqual(failed(results), ['pppd']);
});

test('the builtin engine without `user`: serve makes missing folders for the user that it becomes', async () => {
  assert.equal(await detail('run directory', { unwritable: true }, { ppp: { engine: 'builtin' } }), '/run/pptpd-ts');
  assert.deepEqual(failed(await runChecks(builtin, { machine: machine({ readOnly: true }) })), ['run directory']);
  const results = await runChecks(builtin, {
    machine: machine({ unwritable: true, modes: { '/run/pptpd-ts': 0o40750 } }),
  });
  assert.deepEqual(failed(results), ['run directory']);
  assert.match(results.map(formatFailure).join(''), /remedy: chown -R 61723: \/run\/pptpd-ts/);
});

test('each engine has only the checks that it needs', async () => {
  const names = async (settings: typeof configuration): Promise<Set<string>> =>
    new Set((await runChecks(settings, { machine: machine({}) })).map(({ name }) => name));
  const ofPppd = await names(configuration);
  const ofBuiltin = await names(builtin);
  assert.deepEqual(
    [...ofPppd].filter((name) => !ofBuiltin.has(name)),
    ['pppd', 'kernel PPP', 'MPPE', 'options file'],
  );
  assert.deepEqual(
    [...ofBuiltin].filter((name) => !ofPppd.has(name)),
    ['TUN device', 'monitor', 'accounts'],
  );
});

const ACCOUNTS = '/var/lib/pptpd-ts/accounts.json';
const NO_ACCOUNTS = '{"accounts": []}';
const ONE_ACCOUNT = `{"accounts": [{"name": "alice", "ntHash": "${'0'.repeat(32)}"}]}`;
const KERNEL_MODULES = ['ppp_generic', 'pppox', 'pptp', 'ppp_mppe'];

describe('the data path', () => {
  const dataPathOf = async (ppp: object, description: Description) => {
    const results = await runChecks(configurationSchema.parse({ ...given, ppp }), { machine: machine(description) });
    const found = results.find(({ name }) => name === 'data path');
    return { engine: results[0]?.outcome, found, failed: failed(results) };
  };

  test('auto takes the kernel where it has the modules', async () => {
    const { engine, failed: failures } = await dataPathOf({ engine: 'builtin' }, { modules: KERNEL_MODULES });
    const said = "builtin: ppp.engine says so; data path kernel: the kernel's PPTP driver is there";
    assert.deepEqual(engine, { ok: true, detail: said });
    assert.deepEqual(failures, []);
  });

  for (const [what, ppp] of [
    ['pppd', { engine: 'pppd' }],
    ['TUN devices', { engine: 'builtin', dataPath: 'tun' }],
  ] as const)
    test(`is said to be possible in the kernel, with ${what}`, async () => {
      const { found } = await dataPathOf(ppp, { modules: KERNEL_MODULES });
      assert.match(found?.outcome.ok === true ? found.outcome.detail : '', /could stay in the kernel/);
      assert.equal((await dataPathOf(ppp, {})).found, undefined);
    });

  for (const module of KERNEL_MODULES.filter((each) => each !== 'ppp_mppe'))
    test(`the kernel's is refused without ${module}`, async () => {
      const modules = KERNEL_MODULES.filter((each) => each !== module);
      const { found, failed: failures } = await dataPathOf({ engine: 'builtin', dataPath: 'kernel' }, { modules });
      assert.deepEqual(failures, ['data path']);
      assert(found !== undefined && found.fatal);
      assert.equal(
        formatFailure(found),
        `ppp.dataPath is "kernel", but the kernel has no module ${module}; remedy: modprobe ${module}; a container needs a host that has loaded it; or set ppp.dataPath to "tun"`,
      );
    });

  test('the kernel’s needs no TUN device but for single calls', async () => {
    const settings = configurationSchema.parse({ ...given, ppp: { engine: 'builtin' } });
    const results = await runChecks(settings, { machine: machine({ modules: KERNEL_MODULES, tun: 'EPERM' }) });
    assert.deepEqual(failed(results), ['TUN device']);
    assert.equal(results.find(({ name }) => name === 'TUN device')?.fatal, false);
  });
});

const NO_CAPABILITY = 'CapEff:\t0000000000002000\n';
const builtinCases: typeof cases = [
  [
    'no TUN device',
    { tun: 'ENOENT', modules: ['tun'] },
    'TUN device',
    /\/dev\/net\/tun is missing; remedy: modprobe tun; if it stays missing: mkdir -p \/dev\/net && mknod -m 600 \/dev\/net\/tun c 10 200; start a container with --device \/dev\/net\/tun --cap-add NET_ADMIN$/,
    true,
  ],
  [
    'no TUN device in a container that does not know the kernel’s modules',
    { tun: 'ENOENT', modes: { '/lib/modules/6.1.0': null } },
    'TUN device',
    /is missing; remedy: .*--device \/dev\/net\/tun/,
    true,
  ],
  [
    'no TUN driver',
    { tun: 'ENODEV', modules: [] },
    'TUN device',
    /this kernel has no TUN devices: .*; remedy: boot a kernel with CONFIG_TUN/,
    true,
  ],
  [
    'a TUN device without its driver, which can be loaded',
    { tun: 'ENXIO', modules: ['tun'] },
    'TUN device',
    /\/dev\/net\/tun cannot be opened \(ENXIO\); remedy: modprobe tun/,
    true,
  ],
  [
    'a container that may not open the TUN device',
    { tun: 'EPERM' },
    'TUN device',
    /permission to open \/dev\/net\/tun is denied; remedy: run it as root; start a container with --device \/dev\/net\/tun --cap-add NET_ADMIN$/,
    true,
  ],
  [
    'root without CAP_NET_ADMIN',
    { files: { '/proc/self/status': NO_CAPABILITY } },
    'TUN device',
    /cannot create a network interface without CAP_NET_ADMIN; remedy: .*--cap-add NET_ADMIN$/,
    true,
  ],
  [
    'a server that root does not start',
    { root: false },
    'monitor',
    /needs a monitor process that is root, and none is running; remedy: start the server as root/,
    true,
  ],
  [
    'no secrets',
    { files: { '/etc/ppp/chap-secrets': null } },
    'secrets',
    /chap-secrets is missing or cannot be read: nobody can log in; remedy: echo 'USER pptpd "PASSWORD" \*' >> \/etc\/ppp\/chap-secrets$/,
    false,
  ],
  ['secrets without a user', { files: { '/etc/ppp/chap-secrets': '# none\n' } }, 'secrets', /names no user/, false],
  [
    'secrets of another server',
    { files: { '/etc/ppp/chap-secrets': 'alice l2tpd secret *\n' } },
    'secrets',
    /no user of the server "pptpd" \(ppp\.name\), only of others: nobody can log in/,
    false,
  ],
  [
    'a wrong line of the secrets',
    { files: { '/etc/ppp/chap-secrets': 'alice pptpd x *\ncarol pptpd y\n' } },
    'secrets',
    /chap-secrets:2: "carol" has no fourth column/,
    false,
  ],
  [
    'a mistake in the accounts file',
    {
      files: { [ACCOUNTS]: '{\n"accounts": [{"name": "alice", "ntHash": "secret"}]}' },
      modes: { [ACCOUNTS]: 0o100600 },
    },
    'accounts',
    /^\/var\/lib\/pptpd-ts\/accounts\.json:2: accounts\[0\]\.ntHash: "a secret" is not allowed; allowed: .*; remedy: correct it/,
    false,
  ],
  [
    'an accounts file that others can read',
    { files: { [ACCOUNTS]: NO_ACCOUNTS }, modes: { [ACCOUNTS]: 0o100644 } },
    'accounts',
    /accounts\.json can be read by others; remedy: chmod 600/,
    false,
  ],
  [
    'a folder of the accounts file in which others can write',
    { modes: { '/var/lib/pptpd-ts': 0o40775 } },
    'folders',
    /^\/var\/lib\/pptpd-ts\/accounts\.json: others than root can write to \/var\/lib\/pptpd-ts, .*; remedy: chmod go-w \/var\/lib\/pptpd-ts$/,
    false,
  ],
  [
    'a folder above that one which is another user’s',
    { modes: { '/var/lib': 0o40755 }, owners: { '/var/lib': 1000 } },
    'folders',
    /^\/var\/lib\/pptpd-ts\/accounts\.json: others than root can write to \/var\/lib, .*; remedy: chown root \/var\/lib$/,
    false,
  ],
  [
    'a folder of all files in which others can write',
    { modes: { '/': 0o40777 } },
    'folders',
    /accounts\.json, \/etc\/ppp\/chap-secrets: others than root can write to \/, and so put another file in their place; remedy: chmod go-w \/$/,
    false,
  ],
  [
    'a pool inside a local network',
    { networks: [{ name: 'eth0', cidr: '198.51.100.1/24' }] },
    'address pool',
    /remedy: set "proxyArp": true in the section "ppp"/,
    false,
  ],
];
for (const [title, description, name, sentence, fatal] of builtinCases) {
  test(`builtin engine, ${title}: one message with a remedy`, async () => {
    const results = await runChecks(builtin, { machine: machine(description) });
    assert.deepEqual(failed(results), [name]);
    const result = results.find((each) => each.name === name && !each.outcome.ok);
    assert.ok(result !== undefined);
    assert.equal(result.fatal, fatal);
    assert.match(formatFailure(result) ?? '', sentence);
  });
}

const networked = configurationSchema.parse({ ...given, network: { masquerade: 'auto' } });
const TABLE = tableName(networked.runDirectory);
const RULESET = { nftables: [{ table: { family: 'inet', name: TABLE } }] };

const networkCases: [title: string, description: Description, fatal: boolean, sentence: RegExp, section?: object][] = [
  [
    'it names an interface that is not there',
    { modes: { '/sys/class/net/eth0': 0o120777 } },
    false,
    /network\.masquerade names wan0, which this machine does not have; remedy: correct it/,
    { masquerade: ['eth0', 'wan0'] },
  ],
  [
    'it cannot be put into force',
    { network: { problem: 'the section "network" needs the program nft', remedy: 'apt-get install nftables' } },
    true,
    /needs the program nft; remedy: apt-get install nftables$/,
  ],
  [
    'the server runs without the table',
    { monitor: true },
    false,
    new RegExp(`the server runs, but its nftables table "inet ${TABLE}" is missing: .*; remedy: restart the server`),
  ],
];
for (const [title, description, fatal, sentence, section] of networkCases)
  test(`network: ${title}`, async () => {
    const checked = section === undefined ? networked : configurationSchema.parse({ ...given, network: section });
    const results = await runChecks(checked, { machine: machine(description) });
    assert.deepEqual(failed(results), ['network']);
    const result = results.find(({ name }) => name === 'network') ?? assert.fail();
    assert.equal(result.fatal, fatal);
    assert.match(formatFailure(result) ?? '', sentence);
  });

test('hooks: a program that the server cannot run is named', async () => {
  const hooks = [
    { on: ['up'], post: 'http://192.0.2.1/' },
    { on: ['up'], run: ['/usr/local/bin/missing', 'x'] },
  ];
  const checked = configurationSchema.parse({ ...given, ppp: { engine: 'builtin' }, hooks });
  const results = await runChecks(checked, { machine: machine({ forbidden: true }), only: 'start' });
  assert.deepEqual(
    results.flatMap((result) => (result.name === 'hooks' ? formatFailure(result) : [])),
    [
      "/usr/local/bin/missing (hooks[1].run) is missing, or the server's user may not run it; remedy: chmod 755 /usr/local/bin/missing, or correct hooks[1].run",
    ],
  );
});

describe('login records: whether last can show sessions', () => {
  const says = async (modes: Readonly<Record<string, number>>, more: object = {}): Promise<readonly unknown[]> => {
    const checked = configurationSchema.parse({ ...given, pppd: { options: OPTIONS, logwtmp: true }, ...more });
    const results = await runChecks(checked, { machine: machine({ modes }) });
    return results.flatMap((result) =>
      result.name === 'login records' ? (formatFailure(result) ?? result.outcome.ok) : [],
    );
  };
  const [wtmp, wtmpdb] = [{ '/var/log/wtmp': 0o100664 }, { '/var/lib/wtmpdb': 0o40755 }];
  const user = { user: 'pptpd-ts' };

  test('nothing is said without pppd.logwtmp', async () => assert.deepEqual(await says({}, given), []));
  test('wtmp', async () => assert.deepEqual(await says(wtmp, user), [true]));
  test('wtmpdb, to which root writes', async () => assert.deepEqual(await says(wtmpdb), [true]));
  test("wtmpdb, to which the builtin engine's monitor writes", async () =>
    assert.deepEqual(await says(wtmpdb, { ...user, ppp: { engine: 'builtin' } }), [true]));
  test('neither', async () =>
    assert.deepEqual(await says({}), [
      'pppd.logwtmp writes nothing: there is neither /var/log/wtmp nor wtmpdb; remedy: apt-get install wtmpdb (Debian 13 and later), or install -m 664 -g utmp /dev/null /var/log/wtmp',
    ]));
  test('wtmpdb, to which the server may not write', async () =>
    assert.deepEqual(await says({ ...wtmp, ...wtmpdb }, user), [
      '`last` will show no session: only root may write to wtmpdb, and the server runs as pptpd-ts; remedy: let the server speak PPP itself: "ppp": { "engine": "builtin" }; or remove "user"; or use accounting',
    ]));
});

test('network: what is in force, or will be', async () => {
  const off = { files: { '/proc/sys/net/ipv4/ip_forward': '0\n' } };
  const says = async (description: Description, name = 'network'): Promise<unknown> =>
    (await runChecks(networked, { machine: machine(description) })).find((each) => each.name === name)?.outcome;
  assert.deepEqual(await says({ monitor: true, nft: RULESET }), {
    ok: true,
    detail: `in force; table "inet ${TABLE}"`,
  });
  assert.deepEqual(await says({}), { ok: true, detail: `nftables accepts the rules; table "inet ${TABLE}"` });
  assert.deepEqual(await says({ root: false }), {
    ok: true,
    detail: 'root applies the section when the server starts',
  });
  assert.deepEqual(await says(off, 'forwarding'), {
    ok: true,
    detail: 'serve sets net.ipv4.ip_forward to 1 (network.forward)',
  });
});

const builtinPasses: [title: string, ppp: object, description: Description, name: string, says: string][] = [
  ['a running monitor', {}, { root: false, monitor: true }, 'monitor', 'it is running'],
  ['root, without a monitor', {}, {}, 'monitor', 'root starts it with the server'],
  [
    'secrets of another file and name',
    { name: 'vpn', secrets: '/etc/vpn' },
    {
      files: { '/etc/vpn': 'alice vpn x *\n', '/etc/ppp/chap-secrets': null, '/etc/ppp/pap-secrets': null },
      modes: { '/etc/vpn': 0o100600 },
    },
    'secrets',
    '/etc/vpn, 1 user',
  ],
  ['no accounts file', {}, {}, 'accounts', `no ${ACCOUNTS}: pptpd-ts users add creates it`],
  [
    'accounts instead of secrets',
    {},
    { files: { [ACCOUNTS]: ONE_ACCOUNT, '/etc/ppp/chap-secrets': null }, modes: { [ACCOUNTS]: 0o100600 } },
    'secrets',
    `none needed: users are in ${ACCOUNTS}`,
  ],
  ['the defaults', {}, {}, 'authentication', 'ms-chap-v2, encryption: require'],
  [
    'a pool inside a local network with proxy ARP',
    { proxyArp: true },
    {
      networks: [{ name: 'eth0', cidr: '198.51.100.1/24' }],
    },
    'address pool',
    "11 addresses, none in conflict with this machine's networks",
  ],
];
for (const [title, ppp, description, name, says] of builtinPasses) {
  test(`builtin engine, ${title}: the check passes`, async () =>
    assert.equal(await detail(name, description, { ppp: { engine: 'builtin', ...ppp } }), says));
}

test('with RADIUS neither accounts nor secrets are used, whatever is in them', async () => {
  const radius = { servers: [{ address: '192.0.2.53', secretFile: '/etc/secret' }] };
  const description = {
    files: { [ACCOUNTS]: 'no accounts', '/etc/ppp/chap-secrets': null, '/etc/secret': 'testing123\n' },
    modes: { '/etc/secret': 0o100600 },
  };
  for (const [name, says] of [
    ['accounts', `${ACCOUNTS} is not used: RADIUS judges the logins`],
    ['secrets', 'none needed: RADIUS judges the logins'],
  ] as const)
    assert.equal(await detail(name, description, { ppp: { engine: 'builtin' }, radius }), says);
});

test('the builtin engine of a server that is not root: the device is the monitor’s, root alone reads the secrets', async () => {
  const settings = configurationSchema.parse({ ...given, user: 'pptpd-ts', ppp: { engine: 'builtin' } });
  const poor: Description = { ...unprivileged, tun: 'EACCES', root: false, monitor: true };
  const results = await runChecks(settings, { machine: machine(poor) });
  assert.deepEqual(failed(results), []);
  const says = new Map(results.map(({ name, outcome }) => [name, outcome.ok ? outcome.detail : '']));
  assert.equal(says.get('TUN device'), '/dev/net/tun is there');
  assert.equal(says.get('secrets'), '/etc/ppp/chap-secrets: only root can read it');
  const bounded = {
    ...poor.files,
    '/proc/self/status': identity('CapEff:\t0000000000002000\nCapBnd:\t0000000000002000\n'),
  };
  assert.deepEqual(failed(await runChecks(settings, { machine: machine({ ...poor, files: bounded }) })), [
    'TUN device',
  ]);
});

const weakLogins: [ppp: object, sentence: RegExp][] = [
  [
    { authentication: ['ms-chap-v2', 'pap'], encryption: 'none' },
    /\(ppp\.authentication: ms-chap-v2, pap\): clients may send their password and everything else in plain text/,
  ],
  [{ authentication: ['ms-chap'], encryption: 'prefer' }, /clients may log in by a weaker method/],
];
for (const [ppp, sentence] of weakLogins) {
  test(`builtin engine, login and encryption by ${JSON.stringify(ppp)}: a warning that serve logs`, async () => {
    const settings = configurationSchema.parse({ ...given, ppp: { engine: 'builtin', ...ppp } });
    const results = await runChecks(settings, { only: 'start', machine: machine({}) });
    assert.deepEqual(failed(results), ['authentication']);
    assert.match(results.map(formatFailure).join(''), sentence);
  });
}

test('`auto` leaves methods without keys and the default encryption: a warning', async () => {
  const settings = configurationSchema.parse({ ...given, ppp: { authentication: ['ms-chap-v2', 'pap'] } });
  const results = await runChecks(settings, { machine: machine(container) });
  assert.deepEqual(failed(results), ['authentication']);
  assert.match(results.map(formatFailure).join(''), /a client that logs in by pap is refused after the login/);
});

for (const [title, modes, problems] of [
  ['as /tmp is, with the file there, is none', { '/var/lib/pptpd-ts': 0o41777, [ACCOUNTS]: 0o100600 }, 0],
  ['as /tmp is, without the file, is one', { '/var/lib/pptpd-ts': 0o41777 }, 1],
] as const)
  test(`doctor: a folder ${title} in which others can replace the accounts`, async () => {
    const files = { [ACCOUNTS]: NO_ACCOUNTS };
    const results = await runChecks(builtin, { machine: machine({ files, modes }) });
    assert.equal(results.filter(({ name }) => name === 'folders').length, problems);
  });

describe('with RADIUS', () => {
  const radius = configurationSchema.parse({
    ...given,
    ppp: { engine: 'builtin' },
    radius: { servers: [{ address: '192.0.2.53', secretFile: '/etc/radius-secret' }] },
  });
  const checked = async (description: Description) =>
    (await runChecks(radius, { machine: machine(description) })).filter(({ name }) => name === 'radius');

  test('no secrets file is needed, but the shared secret', async () => {
    const description = {
      files: { '/etc/ppp/chap-secrets': null, '/etc/radius-secret': 'secret\n' },
      modes: { '/etc/radius-secret': 0o600 },
    };
    assert.deepEqual(failed(await runChecks(radius, { machine: machine(description) })), []);
    const [result] = await checked(description);
    assert.deepEqual(result?.outcome, { ok: true, detail: '192.0.2.53, secret in /etc/radius-secret' });
  });

  test('a shared secret that is missing or open to others has a remedy', async () => {
    const sentences = await Promise.all(
      [
        {},
        { files: { '/etc/radius-secret': 'secret\n' }, modes: { '/etc/radius-secret': 0o644 } },
        { files: { '/etc/radius-secret': '' }, modes: { '/etc/radius-secret': 0o600 } },
      ].map(async (description) => {
        const [result = assert.fail()] = await checked(description);
        return formatFailure(result) ?? '';
      }),
    );
    assert.match(sentences[0] ?? '', /missing or cannot be read; remedy: write the shared secret into/);
    assert.match(sentences[1] ?? '', /can be read by others; remedy: chmod 600/);
    assert.match(sentences[2] ?? '', /does not have one line/);
  });
});
