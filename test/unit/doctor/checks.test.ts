import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationSchema } from '../../../src/config/schema.js';
import { type CheckResult, formatFailure, runChecks } from '../../../src/doctor/checks.js';
import type { CommandResult, Failure, Machine } from '../../../src/doctor/machine.js';
import { recorded } from '../cli/commands-document.js';

const OPTIONS = '/etc/ppp/options.pptpd';

const given = {
  addresses: { local: ['192.0.2.1'], remote: ['198.51.100.10-20'] },
  pppd: { options: OPTIONS },
};
const configuration = configurationSchema.parse(given);

interface Description {
  readonly files?: Readonly<Record<string, string | null>>;
  readonly modes?: Readonly<Record<string, number | null>>;
  /** What pppd prints; null: there is none. */
  readonly pppd?: string | null;
  /** How pppd ends when it only reads its options. */
  readonly dryrun?: CommandResult;
  readonly modules?: readonly string[];
  readonly networks?: readonly { name: string; cidr: string }[];
  readonly device?: string | null;
  readonly gre?: string | null;
  readonly listen?: Failure | null;
  readonly unwritable?: boolean;
  /** pppd is not for us to run. */
  readonly forbidden?: boolean;
  readonly node?: string;
  /** Users that there are. */
  readonly users?: readonly string[];
}

/** A machine on which everything is as it should be, but for what the test describes. */
function machine({
  files,
  modes,
  pppd = 'pppd version 2.4.9',
  dryrun = { code: 0, output: '' },
  modules = ['ppp_generic', 'ppp_async', 'ppp_mppe'],
  networks = [],
  device = null,
  gre = null,
  listen = null,
  unwritable,
  forbidden,
  node = 'v20.11.0',
  users = ['pptpd-ts'],
}: Description): Machine {
  const content: Record<string, string | null> = {
    '/proc/self/status': 'CapEff:\t000001ffffffffff\n',
    '/proc/misc': '108 ppp\n',
    '/proc/modules': 'ppp_mppe 16384 0 - Live 0x0\n',
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
    isExecutable: () => pppd !== null && forbidden !== true,
    isWritable: () => unwritable !== true,
    run: async (path, args) => {
      if (path === 'id') return Promise.resolve({ code: users.includes(args.at(-1) ?? '') ? 0 : 1, output: '' });
      if (path === 'modprobe')
        return Promise.resolve({ code: modules.includes(args.at(-1) ?? '') ? 0 : 1, output: '' });
      return Promise.resolve(args.includes('dryrun') ? dryrun : { code: 0, output: pppd ?? '' });
    },
    openDevice: () => device,
    networks: () => networks,
    openGreSocket: async () => Promise.resolve(gre),
    tryListen: async () => Promise.resolve(listen),
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
    /not root, and without CAP_NET_ADMIN, CAP_NET_RAW; mend it: run it as root/,
    true,
  ],
  [
    'one capability short',
    { files: { '/proc/self/status': 'CapEff:\t0000000000001000\n' } },
    'privileges',
    /without CAP_NET_RAW;/,
    true,
  ],
  [
    'a port kept for the privileged',
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
  ['a Node.js too old', { node: 'v20.10.9' }, 'Node.js', /v20\.10\.9 is too old; this program needs 20\.11/, true],
  [
    'no PPP in the kernel',
    { device: 'ENOENT', files: { '/proc/misc': '', '/proc/tty/ldiscs': '' }, modules: [] },
    'kernel PPP',
    /this kernel has no PPP: no \/dev\/ppp, and no module ppp_generic; mend it: boot a kernel with CONFIG_PPP/,
    true,
  ],
  [
    'a device without a kernel behind it',
    { device: 'ENXIO', files: { '/proc/misc': '' }, modules: [] },
    'kernel PPP',
    /this kernel has no PPP/,
    true,
  ],
  [
    'a kernel that has PPP, but no device',
    { device: 'ENOENT' },
    'kernel PPP',
    /\/dev\/ppp is missing; mend it: modprobe -a ppp_generic ppp_async; if it stays missing: mknod/,
    true,
  ],
  [
    'modules that nobody has loaded, and so no device',
    { device: 'ENOENT', files: { '/proc/misc': '', '/proc/tty/ldiscs': '' } },
    'kernel PPP',
    /\/dev\/ppp is missing; mend it: modprobe -a ppp_generic/,
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
    'no MPPE where it is required',
    { files: { '/proc/modules': '' }, modules: ['ppp_async'] },
    'MPPE',
    /no module ppp_mppe, and pppd's options require encryption: nobody gets in/,
    true,
  ],
  [
    'no MPPE where it is not required',
    { files: { '/proc/modules': '', [OPTIONS]: 'require-mschap-v2\n' }, modules: ['ppp_async'] },
    'MPPE',
    /clients that want encryption do not get in/,
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
  [
    'silent, with which pppd and we wait for each other',
    { files: { [OPTIONS]: 'require-mschap-v2\nsilent\n' } },
    'options file',
    /options say silent: .*nobody gets in; mend it: take "silent" out of \/etc\/ppp\/options\.pptpd/,
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
    /does not take its options: In file \/etc\/ppp\/options\.pptpd: unrecognized option 'requir-mschap'; mend it: .*try: \/usr\/sbin\/pppd dryrun notty file \/etc\/ppp\/options\.pptpd$/,
    true,
  ],
  [
    'options that let everybody in',
    { files: { [OPTIONS]: 'name pptpd\n' } },
    'authentication',
    /require no authentication.*mend it: add a line "require-mschap-v2"/,
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
    /chap-secrets is missing.*nobody can log in; mend it: echo 'USER pptpd "PASSWORD" \*' >> \/etc\/ppp\/chap-secrets/,
    false,
  ],
  [
    'no secrets for PAP',
    { files: { [OPTIONS]: 'require-pap\n' } },
    'secrets',
    /pap-secrets is missing.*echo 'USER gateway "PASSWORD" \*' >> \/etc\/ppp\/pap-secrets/,
    false,
  ],
  ['secrets without a user', { files: { '/etc/ppp/chap-secrets': '# none\n' } }, 'secrets', /names no user/, false],
  [
    'secrets of another server',
    { files: { '/etc/ppp/chap-secrets': 'alice l2tpd secret *\nbob "l2tpd" "two words" *\n' } },
    'secrets',
    /no user of the server "pptpd" \(pppd's option "name"\), only of "l2tpd": nobody can log in/,
    false,
  ],
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
    'a port that another program has',
    { listen: { code: 'EADDRINUSE', message: '' } },
    'listening',
    /cannot listen on 0\.0\.0\.0:1723: another program listens there already; mend it: .*ss -ltnp/,
    true,
  ],
  [
    'a port that pptpd has',
    {
      listen: { code: 'EADDRINUSE', message: '' },
      files: { '/run/pptpd.pid': '77\n', '/proc/77/cmdline': '/usr/sbin/pptpd\0' },
    },
    'listening',
    /pptpd \(process 77\) listens there; mend it: systemctl disable --now pptpd/,
    true,
  ],
  [
    'a process id that is another program by now',
    {
      listen: { code: 'EADDRINUSE', message: '' },
      files: { '/run/pptpd-ts/manager.pid': '77\n', '/proc/77/cmdline': 'sleep\u00001000\0' },
    },
    'listening',
    /another program listens there already/,
    true,
  ],
  [
    'an address that is not there',
    { listen: { code: 'EADDRNOTAVAIL', message: '' } },
    'listening',
    /this machine has no such address; mend it: see `ip address`/,
    true,
  ],
  [
    'a failure without words of its own',
    { listen: { code: 'ENODEV', message: 'cannot bind to the device blue (listen.vrf): No such device' } },
    'listening',
    /cannot bind to the device blue \(listen\.vrf\): No such device; mend it: correct listen\.address or listen\.vrf/,
    true,
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
    /198\.51\.100\.10 lies in the network 198\.51\.100\.0\/24 of eth0.*proxyarp/,
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

/** What the check says where all is well. */
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
    'the same, the device answering for others by itself',
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
    'a port that our own server has',
    'listening',
    {
      listen: { code: 'EADDRINUSE', message: '' },
      files: { '/run/pptpd-ts/manager.pid': '77\n', '/proc/77/cmdline': 'pptpd-ts manager' },
    },
    /pptpd-ts itself listens \(process 77\)/,
  ],
  [
    'a port for everybody needs no capability',
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
    'users of this server among those of others',
    'secrets',
    { files: { '/etc/ppp/chap-secrets': 'a pptpd x *\nb l2tpd x *\n# c * x *\n"d e" "pptpd" "x # y" *\n' } },
    /chap-secrets, 2 users$/,
  ],
  [
    'options of the command line count',
    'authentication',
    { files: { [OPTIONS]: 'name pptpd\n' } },
    /^require-mschap-v2$/,
    { pppd: { options: OPTIONS, args: ['require-mschap-v2'] } },
  ],
  [
    'a container without the host’s modules',
    'kernel PPP',
    { files: { '/proc/tty/ldiscs': '' }, modules: [], modes: { '/lib/modules/6.1.0': null } },
    /\/dev\/ppp opens, nothing here tells whether ppp_async can be loaded/,
  ],
  [
    'pppd’s own complaint of the kernel is left to the check of the kernel',
    'options file',
    { dryrun: { code: 4, output: 'You need to create the /dev/ppp device node' } },
    /options\.pptpd/,
  ],
];

for (const [title, name, description, says, settings] of allowed) {
  test(`${title}: all is well`, async () => assert.match((await detail(name, description, settings)) ?? '', says));
}

test('a program that is no pppd needs neither PPP in the kernel nor options that pppd takes', async () => {
  const other: Description = {
    pppd: 'a PPP of its own',
    device: 'ENOENT',
    files: { '/proc/misc': '', '/proc/modules': '', '/proc/tty/ldiscs': '' },
    modules: [],
    dryrun: { code: 2, output: 'what is dryrun?' },
  };
  assert.match((await detail('kernel PPP', other)) ?? '', /not needed by this program/);
});

test('a missing pppd is said once', async () => {
  const results = await runChecks(configuration, {
    machine: machine({ pppd: null, device: 'ENOENT', modules: [], files: { [OPTIONS]: null } }),
  });
  assert.deepEqual(failed(results), ['pppd']);
});

test('docs/commands.md shows the checks that there are, in their order', async () => {
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

test('serve asks for what is fatal alone, and tries the port by itself', async () => {
  const results = await runChecks(configuration, {
    only: 'fatal',
    machine: machine({ listen: { code: 'EADDRINUSE', message: '' } }),
  });
  assert.deepEqual(failed(results), []);
  assert.ok(results.every(({ fatal }) => fatal));
  const names = results.map(({ name }) => name);
  assert.ok(names.includes('MPPE') && !names.includes('forwarding') && !names.includes('listening'), names.join());
});

const PEER = '/etc/ppp/peers/pptpd-ts';
const asUser = configurationSchema.parse({ ...given, user: 'pptpd-ts', pppd: { options: PEER } });
const identity = (more = 'CapEff:\t0000000000002000\nCapBnd:\t00000000000030c2\nNoNewPrivs:\t0\n'): string =>
  `Name:\tnode\nUid:\t998\t998\t998\t998\n${more}`;
/** What a server that is not root sees. */
const unprivileged: Description = {
  device: 'EACCES',
  files: {
    '/proc/self/status': identity(),
    [PEER]: `file ${OPTIONS}\n`,
    '/etc/ppp/chap-secrets': null,
  },
  modes: { '/dev/ppp': 0o20600 },
};

test('a server that is not root has all it needs in CAP_NET_RAW and a set-uid pppd with its options by call', async () => {
  const results = await runChecks(asUser, { machine: machine(unprivileged) });
  assert.deepEqual(failed(results), []);
  const says = new Map(results.map(({ name, outcome }) => [name, outcome.ok ? outcome.detail : '']));
  assert.equal(says.get('privileges'), 'uid 998 with CAP_NET_RAW');
  assert.equal(says.get('kernel PPP'), '/dev/ppp is there, ppp_async is loaded');
  assert.equal(says.get('authentication'), 'require-mschap-v2', 'of the file that the file names');
  assert.equal(says.get('secrets'), '/etc/ppp/chap-secrets: only root can look into it');
});

const poorUsers: [title: string, description: Description, fails: string, sentence: RegExp][] = [
  ['nobody of that name', { users: [] }, 'user', /no user "pptpd-ts" \(user\); mend it: adduser --system .* dip/],
  [
    'no capability',
    { files: { ...unprivileged.files, '/proc/self/status': identity('CapEff:\t0\n') } },
    'privileges',
    /uid 998, and without CAP_NET_RAW; mend it/,
  ],
  [
    'a pppd that is not for it to run',
    { forbidden: true },
    'pppd',
    /pptpd-ts may not run \/usr\/sbin\/pppd; mend it: adduser pptpd-ts dip/,
  ],
  [
    'a pppd that is not set-uid',
    { modes: { ...unprivileged.modes, '/usr/sbin/pppd': 0o100755 } },
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
    },
    'pppd',
    /pppd cannot become root: .*NoNewPrivileges=no/,
  ],
  [
    'a bounding set without what pppd needs',
    {
      files: {
        ...unprivileged.files,
        '/proc/self/status': identity('CapEff:\t0000000000002000\nCapBnd:\t0000000000003000\n'),
      },
    },
    'pppd',
    /pppd cannot get CAP_DAC_OVERRIDE, CAP_SETUID, CAP_SETGID: the bounding set/,
  ],
  [
    'a run directory that is another’s',
    { unwritable: true, modes: { ...unprivileged.modes, '/run/pptpd-ts': 0o40750 } },
    'run directory',
    /\/run\/pptpd-ts cannot be written to \(runDirectory\); mend it: chown -R pptpd-ts: \/run\/pptpd-ts/,
  ],
];

for (const [title, description, name, sentence] of poorUsers) {
  test(`a server that is not root, ${title}: one sentence, with what mends it`, async () => {
    const results = await runChecks(asUser, { machine: machine({ ...unprivileged, ...description }) });
    assert.equal(failed(results)[0], name);
    assert.match(results.map(formatFailure).join('\n'), sentence);
  });
}

test('options that need root’s word are told the way to it', async () => {
  const direct = configurationSchema.parse({ ...given, user: 'pptpd-ts' });
  const dryrun = { code: 2, output: 'pppd: using the name option requires root privilege' };
  const results = await runChecks(direct, { machine: machine({ ...unprivileged, dryrun }) });
  assert.deepEqual(failed(results), ['options file']);
  assert.match(
    results.map(formatFailure).join('\n'),
    /does not take \/etc\/ppp\/options\.pptpd from a server that is not root: using the name option requires root privilege; mend it: .*"options": "\/etc\/ppp\/peers\/pptpd-ts"/,
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
    /\/var cannot be written to \(log\.directory\); mend it: run it as root/,
  );
});
