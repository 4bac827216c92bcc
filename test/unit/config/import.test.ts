/** pptpd's file and command line, read by its own rules. Each row was observed on pptpd 1.4.0 (Debian). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationFileOf, importPptpd, remarksOfHostsFile } from '../../../src/config/import.js';

/** Appended to each file, so that rows about other options need no addresses. */
const POOL = 'localip 192.0.2.1\nremoteip 198.51.100.1-5\n';
const ADDRESSES = { addresses: { local: ['192.0.2.1'], remote: ['198.51.100.1-5'] } };

interface Row {
  readonly file?: string;
  readonly args?: readonly string[];
  /** Besides the addresses. */
  readonly input: Record<string, unknown>;
  readonly remarks?: readonly string[];
}

const rows: Readonly<Record<string, Row>> = {
  'every keyword with a counterpart': {
    file: [
      '# a comment',
      'ppp /usr/sbin/pppd',
      'option /etc/ppp/pptpd-options',
      'speed 9600',
      'noipparam',
      'logwtmp',
      'debug',
      'listen 192.0.2.1',
      'connections 20',
      'bcrelay eth1',
      'pidfile /run/x.pid',
      '',
    ].join('\n'),
    input: {
      listen: { address: '192.0.2.1' },
      limits: { connections: 20 },
      broadcastRelay: { interface: 'eth1' },
      pidFile: '/run/x.pid',
      pppd: { path: '/usr/sbin/pppd', options: '/etc/ppp/pptpd-options', speed: 9600, ipparam: false, logwtmp: true },
      log: { level: 'debug' },
    },
  },
  'spaces and tabs separate keyword and value': {
    file: 'speed \t 9600\noption\t/etc/x\n',
    input: { pppd: { speed: 9600, options: '/etc/x' } },
  },
  'of a repeated keyword the first one counts': {
    file: 'speed 9600\n\nspeed 300\nlogwtmp\nlogwtmp\n',
    input: { pppd: { speed: 9600, logwtmp: true } },
    remarks: [
      'f:3: pptpd ignores this line, and so does import: "speed" is already in line 1, and the first one counts',
      'f:5: pptpd ignores this line, and so does import: "logwtmp" is already in line 4, and the first one counts',
    ],
  },
  'a comment begins in column 1; after a value it is part of the value': {
    file: '#speed 1\n  # speed 2\n;speed 3\nspeed 4\n',
    input: { pppd: { speed: 4 } },
    remarks: ['f:3: pptpd ignores this line, and so does import: ";speed" is not a keyword'],
  },
  'lines that begin with a space are ignored': {
    file: ' speed 9600\n\tlogwtmp\n \n',
    input: {},
    remarks: [
      'f:1: pptpd ignores this line, and so does import: it begins with a space ("speed 9600")',
      'f:2: pptpd ignores this line, and so does import: it begins with a tab ("logwtmp")',
    ],
  },
  'spaces at the end are ignored': {
    file: 'speed 9600 \nlogwtmp \n',
    input: { pppd: { speed: 9600, logwtmp: true } },
    remarks: [
      'f:1: import ignores spaces at the end, as pptpd does',
      'f:2: import ignores spaces at the end, as pptpd does',
    ],
  },
  'DOS line ends': {
    file: '# x\r\n\r\nnoipparam\r\nspeed 9600\r\noption /x/options\r\nlisten 192.0.2.1\r\nconnections 9\r\n',
    input: {
      limits: { connections: 9 },
      listen: { address: '192.0.2.1' },
      pppd: { speed: 9600, options: '/x/options' },
    },
    remarks: [
      'f:3: pptpd ignores this line, and so does import: the keyword "noipparam" ends in CR (a DOS line end)',
      'f:4: pptpd passes "9600\\r" to pppd, which then serves no client; written: 9600',
      'f:5: pptpd would not start: there is no file "/x/options\\r"; written: /x/options',
      'f:6: the line ends in CR (a DOS line end), which pptpd reads as part of the value; carried over without it',
    ],
  },
  'unknown keywords, including options of the command line only': {
    file: 'speedy 1\nSPEED 9600\nfg\nfoo \u001b[31m\n',
    input: {},
    remarks: [
      'f:1: pptpd ignores this line, and so does import: "speedy" is not a keyword; did you mean "speed"?',
      'f:2: pptpd ignores this line, and so does import: "SPEED" is not a keyword; did you mean "speed"?',
      'f:3: pptpd ignores this line, and so does import: "fg" is not a keyword',
      'f:4: pptpd ignores this line, and so does import: "foo" is not a keyword',
    ],
  },
  'a flag takes no value': {
    file: 'logwtmp no\n',
    input: { pppd: { logwtmp: true } },
    remarks: ['f:1: "logwtmp" takes no value; import ignores "no", as pptpd does'],
  },
  'a line of 510 octets or more is ignored, one of 509 is not': {
    file: `noipparam ${'x'.repeat(500)}\nlogwtmp ${'x'.repeat(501)}\n`,
    input: { pppd: { logwtmp: true } },
    remarks: [
      'f:1: pptpd ignores this line, and so does import: it is longer than 509 characters',
      `f:2: "logwtmp" takes no value; import ignores "${'x'.repeat(59)}…", as pptpd does`,
    ],
  },
  'only patched builds support vrf': {
    file: 'vrf blue\n',
    input: { listen: { vrf: 'blue' } },
    remarks: ["f:1: carried over; Debian's pptpd 1.4.0 ignores it; only patched builds support it"],
  },
  'stimeout in the file has no effect in pptpd': {
    file: 'stimeout 5\n',
    input: { timeouts: { firstMessage: 5 } },
    remarks: ['f:1: pptpd ignores it in its file and uses 10 seconds; carried over nevertheless'],
  },
  'stimeout in the file that is not a time': {
    file: 'stimeout soon\n',
    input: {},
    remarks: ['f:1: left out: pptpd ignores it in its file, and "soon" is not a time'],
  },
  'every flag, short': {
    args: '-d -e /x/pppd -f -i -l 192.0.2.1 -o /x/options -p /x/pid -s 9600 -t 7 -w -C 5 -V blue -b eth1'.split(' '),
    input: {
      listen: { address: '192.0.2.1', vrf: 'blue' },
      limits: { connections: 5 },
      timeouts: { firstMessage: 7 },
      pppd: { path: '/x/pppd', options: '/x/options', speed: 9600, ipparam: false, logwtmp: true },
      log: { level: 'debug' },
      broadcastRelay: { interface: 'eth1' },
      pidFile: '/x/pid',
    },
    remarks: [
      "command line, -V: carried over; Debian's pptpd 1.4.0 would not start with it; only patched builds support it",
      'command line, -f: left out: `pptpd-ts serve` always runs in the foreground',
    ],
  },
  'every flag, long': {
    args: '--debug --ppp /x/pppd --noipparam --listen 192.0.2.1 --option /x/o --speed 9600 --stimeout 7 --logwtmp --connections 5 --vrf blue --fg --bcrelay eth1 --pidfile /x'.split(
      ' ',
    ),
    input: {
      listen: { address: '192.0.2.1', vrf: 'blue' },
      limits: { connections: 5 },
      timeouts: { firstMessage: 7 },
      pppd: { path: '/x/pppd', options: '/x/o', speed: 9600, ipparam: false, logwtmp: true },
      log: { level: 'debug' },
      broadcastRelay: { interface: 'eth1' },
      pidFile: '/x',
    },
    remarks: [
      "command line, --vrf: carried over; Debian's pptpd 1.4.0 would not start with it; only patched builds support it",
      'command line, --fg: left out: `pptpd-ts serve` always runs in the foreground',
    ],
  },
  'combined letters, attached values, abbreviated names': {
    args: ['-dwi', '-s9600', '--opt=/x', '--conn', '7'],
    input: {
      limits: { connections: 7 },
      pppd: { options: '/x', speed: 9600, ipparam: false, logwtmp: true },
      log: { level: 'debug' },
    },
  },
  'of a repeated option of the command line the last one counts': {
    args: ['-s', '1', '-s', '2'],
    input: { pppd: { speed: 2 } },
    remarks: ['command line, -s: given twice; "2" counts, as in pptpd'],
  },
  'words that are not options are ignored': {
    args: ['foo', '-d', '-', '--', '-w'],
    input: { log: { level: 'debug' } },
    remarks: [
      'command line, foo: not an option; pptpd ignores it',
      'command line, -: not an option; pptpd ignores it',
      'command line, -w: follows --; pptpd ignores it',
    ],
  },
  'the command line overrides the file, but for connections the file overrides the command line': {
    file: 'speed 300\nconnections 9\noption /same\n',
    args: ['-s', '9600', '-C', '7', '-o', '/same'],
    input: { limits: { connections: 9 }, pppd: { options: '/same', speed: 9600 } },
    remarks: [
      `f:1: the command line overrides it with "9600"`,
      `command line, -C: the file overrides it with "9" (line 2), as in pptpd`,
    ],
  },
  'options of other programs and what looks like a comment are not misspelt keywords': {
    file: 'name pptpd\nms-dns 192.0.2.53\n//logwtmp\n',
    input: {},
    remarks: [
      'f:1: pptpd ignores this line, and so does import: "name" is not a keyword',
      'f:2: pptpd ignores this line, and so does import: "ms-dns" is not a keyword',
      'f:3: pptpd ignores this line, and so does import: "//logwtmp" is not a keyword',
    ],
  },
  'blanks that pptpd reads as part of a word': {
    file: '\uFEFFspeed 9600\nlogwtmp\u00A0\n\u00A0debug\n\u00A0\n\u00A0# x\n',
    input: {},
    remarks: [
      'f:1: pptpd ignores this line, and so does import: "\\ufeffspeed" is not a keyword: the byte order mark before it is part of the word',
      'f:2: pptpd ignores this line, and so does import: "logwtmp\\u00a0" is not a keyword: the no-break space (\\u00a0) is part of the word',
      'f:3: pptpd ignores this line, and so does import: "\\u00a0debug" is not a keyword: the no-break space (\\u00a0) is part of the word',
    ],
  },
  'a byte order mark before a comment does no harm': { file: '\uFEFF# ours\n', input: {} },
  'a line ends at a NUL octet': {
    file: 'logwtmp\0 debug\nspeed 9600\0\n',
    input: { pppd: { logwtmp: true, speed: 9600 } },
    remarks: ['f:1: pptpd reads a line only up to a NUL octet, and import does the same (is the file UTF-16?)'],
  },
  'keywords without their values': {
    file: 'bcrelay\npidfile\nspeed\nconnections\nstimeout\nvrf\n',
    input: {},
    remarks: [
      'f:1: "bcrelay" has no value; pptpd relays no broadcasts; left out',
      'f:2: "pidfile" has no value; pptpd writes no pid file; left out',
      'f:3: "speed" has no value; pptpd uses 115200, which is also the default here; left out',
      'f:4: pptpd ignores "" and uses 100',
      'f:5: left out: pptpd ignores it in its file, and "" is not a time',
      'f:6: "vrf" has no value; left out',
    ],
  },
  'bcrelay disable': {
    file: 'bcrelay disable\n',
    input: {},
    remarks: ['f:1: left out: pptpd looks for a network device "disable", finds none and relays nothing'],
  },
  'bcrelay with a value that is not a name': {
    file: 'bcrelay eth1 # LAN\n',
    input: {},
    remarks: [
      'f:1: left out: pptpd takes all of "eth1 # LAN" as the name of a network device, finds none and relays nothing; to relay, set broadcastRelay.interface',
    ],
  },
  'bcrelay with a pattern': {
    file: 'bcrelay eth[01]\n',
    input: {},
    remarks: [
      'f:1: left out: pptpd takes "eth[01]" as a pattern of names; to relay, set broadcastRelay.interface to one name',
    ],
  },
  pidfile: {
    file: 'pidfile /var/run/pptpd.pid # as ever\n',
    input: { pidFile: '/var/run/pptpd.pid' },
    remarks: ['f:1: pptpd names the file "/var/run/pptpd.pid # as ever"; written: /var/run/pptpd.pid'],
  },
  'pidfile with a relative path': {
    file: 'pidfile pptpd.pid\n',
    input: {},
    remarks: [
      'f:1: left out: pptpd writes it to the directory in which it runs; pptpd-ts always writes manager.pid to its run directory',
    ],
  },
  'files with comments': {
    file: 'option /etc/x # y\nppp /usr/sbin/pppd #z\n',
    input: { pppd: { options: '/etc/x', path: '/usr/sbin/pppd' } },
    remarks: [
      'f:1: pptpd would not start: there is no file "/etc/x # y"; written: /etc/x',
      'f:2: pptpd would not start: there is no file "/usr/sbin/pppd #z"; written: /usr/sbin/pppd',
    ],
  },
  'listen with a comment': {
    file: 'listen 192.0.2.1 # outside\n',
    input: { listen: { address: '192.0.2.1' } },
    remarks: ['f:1: pptpd reads "192.0.2.1 # outside" as 192.0.2.1; written: 192.0.2.1'],
  },
  'a speed with a comment': {
    file: 'speed 9600 # fast\n',
    input: { pppd: { speed: 9600 } },
    remarks: ['f:1: pptpd passes "9600 # fast" to pppd, which then serves no client; written: 9600'],
  },
  'a speed that is too high': {
    file: 'speed 10000000\n',
    input: {},
    remarks: [
      'f:1: left out: pptpd passes the speed 10000000 to pppd; here only 1 to 4000000 is allowed, and 115200 is the default',
    ],
  },
  'connections, as atoi reads it': {
    file: 'connections 9x\n',
    input: { limits: { connections: 9 } },
    remarks: ['f:1: pptpd reads "9x" as 9'],
  },
  'connections, too large for an int': {
    file: 'connections 4294967305\n',
    input: { limits: { connections: 9 } },
    remarks: ['f:1: pptpd reads "4294967305" as 9'],
  },
  'connections, more than there are call ids': {
    file: 'connections 70000\n',
    input: { limits: { connections: 65535 } },
    remarks: ['f:1: written: 65535 instead of 70000, because PPTP has no more call ids'],
  },
  'connections that is not above 0': {
    file: 'connections -3\n',
    input: {},
    remarks: ['f:1: pptpd ignores "-3" and uses 100'],
  },
  'the command line names another file, and asks for help and version': {
    args: ['-c', '/etc/other.conf', '-h', '--version'],
    input: {},
    remarks: [
      'command line, -c: names another file (/etc/other.conf); f was read',
      'command line, -h: left out: pptpd only prints its help and exits',
      'command line, --version: left out: pptpd only prints its version and exits',
    ],
  },
};

for (const [name, { file = '', args = [], input, remarks = [] }] of Object.entries(rows)) {
  test(name, () => {
    const imported = importPptpd({ name: 'f', text: `${file}${POOL}` }, args);
    assert.deepEqual(imported, { ok: true, input: { ...ADDRESSES, ...input }, remarks });
  });
}

/** What cannot be converted. */
const faults: readonly [file: string, args: readonly string[], ...faults: string[]][] = [
  ['option \n', [], 'f:1: "option" has no value; pptpd would not start'],
  ['ppp\n', [], 'f:1: "ppp" has no value; pptpd would not start'],
  ['listen \r\n', [], 'f:1: "listen" has no value; pptpd would not start'],
  ['speed fast\n', [], 'f:1: pppd.speed: "fast" is not allowed; allowed: a whole number from 1 to 4000000'],
  ['\noption pptpd-options\n', [], 'f:2: pppd.options: "pptpd-options" is not allowed; allowed: an absolute path'],
  ['ppp pppd\n', [], 'f:1: pppd.path: "pppd" is not allowed; allowed: an absolute path'],
  [
    'listen nowhere.example\n',
    [],
    'f:1: pptpd would not start: "nowhere.example" is not an address, and this machine knows no host of that name',
  ],
  ['', ['-C', '0'], 'command line, -C: with "0" pptpd accepts no client; allowed: 1 to 65535'],
  ['', ['-C', 'many'], 'command line, -C: with "many" pptpd accepts no client; allowed: 1 to 65535'],
  [
    '',
    ['-t', '0'],
    'command line, -t: timeouts.firstMessage: 0 is not allowed; allowed: a number above 0, up to 86400',
  ],
  ['', ['-zd'], 'command line, -z: not an option of pptpd; pptpd would not start'],
  [
    '',
    ['--con', '3'],
    'command line, --con: not an option of pptpd, or an ambiguous abbreviation; pptpd would not start',
  ],
  [
    '',
    ['--localip', '192.0.2.1'],
    'command line, --localip: not an option of pptpd, or an ambiguous abbreviation; pptpd would not start',
  ],
  ['', ['--debug=1'], 'command line, --debug=1: takes no value; pptpd would not start'],
  ['', ['-s'], 'command line, -s: the value is missing; pptpd would not start'],
];
for (const [file, args, ...expected] of faults) {
  test(`not converted: ${JSON.stringify(file)} ${args.join(' ')}`, () => {
    const imported = importPptpd({ name: 'f', text: `${file}${POOL}` }, args);
    assert.ok(!imported.ok, 'it must be refused');
    assert.deepEqual(imported.faults, expected);
  });
}

test('files and host names are looked up on the machine', () => {
  const host = {
    lookUp: (name: string) => (name === 'vpn.example' ? '192.0.2.9' : null),
    isReadable: () => false,
    isExecutable: () => false,
  };
  const text = `listen vpn.example\noption /x/options\nppp /x/pppd\n${POOL}`;
  assert.deepEqual(importPptpd({ name: 'f', text }, [], host), {
    ok: true,
    input: { ...ADDRESSES, listen: { address: '192.0.2.9' }, pppd: { options: '/x/options', path: '/x/pppd' } },
    remarks: [
      'f:1: pptpd looks up "vpn.example" at its start; written: 192.0.2.9, its current address',
      'f:2: pptpd would not start: it cannot use /x/options on this machine; carried over nevertheless',
      'f:3: pptpd would not start: it cannot use /x/pppd on this machine; carried over nevertheless',
    ],
  });
});

test('of several files on the command line the last one counts', () => {
  assert.equal(configurationFileOf(['-d', '-c', '/a', '--conf=/b']), '/b');
  assert.equal(configurationFileOf(['-d']), null);
});

test('lines of hosts.allow and hosts.deny that pptpd obeys are remarked on', () => {
  const text = '# pptpd: ALL\nsshd: ALL\npptpd: 192.0.2.\nsshd, pptpd : LOCAL\nALL: ALL\npptpd-like: ALL\n';
  assert.deepEqual(
    remarksOfHostsFile({ name: 'h', text }),
    [
      [3, 'pptpd: 192.0.2.'],
      [4, 'sshd, pptpd : LOCAL'],
      [5, 'ALL: ALL'],
    ].map(
      ([line, rule]) =>
        `h:${line}: not carried over, although pptpd obeys it ("${rule}"); use access.allow and access.deny`,
    ),
  );
});
