/** pptpd's file and command line, read by its own rules: each row was observed on pptpd 1.4.0 (Debian). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationFileOf, importPptpd, remarksOfHostsFile } from '../../../src/config/import.js';

/** Behind each file, so that rows which are not about addresses need not name any. */
const POOL = 'localip 192.0.2.1\nremoteip 198.51.100.1-5\n';
const ADDRESSES = { addresses: { local: ['192.0.2.1'], remote: ['198.51.100.1-5'] } };

interface Row {
  readonly file?: string;
  readonly args?: readonly string[];
  /** Beside the addresses. */
  readonly input: Record<string, unknown>;
  readonly remarks?: readonly string[];
}

const rows: Readonly<Record<string, Row>> = {
  'every keyword that can be carried over': {
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
  'one space, several and tabs stand between keyword and value': {
    file: 'speed \t 9600\noption\t/etc/x\n',
    input: { pppd: { speed: 9600, options: '/etc/x' } },
  },
  'the first match counts': {
    file: 'speed 9600\n\nspeed 300\nlogwtmp\nlogwtmp\n',
    input: { pppd: { speed: 9600, logwtmp: true } },
    remarks: [
      'f:3: pptpd ignores this line, and it is not carried over: "speed" stands in line 1 already, and the first counts',
      'f:5: pptpd ignores this line, and it is not carried over: "logwtmp" stands in line 4 already, and the first counts',
    ],
  },
  'a comment begins in column 1; behind a value it belongs to the value': {
    file: '#speed 1\n  # speed 2\n;speed 3\nspeed 4\n',
    input: { pppd: { speed: 4 } },
    remarks: ['f:3: pptpd ignores this line, and it is not carried over: ";speed" is no keyword'],
  },
  'lines that begin with a space are ignored': {
    file: ' speed 9600\n\tlogwtmp\n \n',
    input: {},
    remarks: [
      'f:1: pptpd ignores this line, and it is not carried over: it begins with a space ("speed 9600")',
      'f:2: pptpd ignores this line, and it is not carried over: it begins with a tab ("logwtmp")',
    ],
  },
  'spaces at the end are cut': {
    file: 'speed 9600 \nlogwtmp \n',
    input: { pppd: { speed: 9600, logwtmp: true } },
    remarks: [
      'f:1: spaces at the end are left out, as pptpd does',
      'f:2: spaces at the end are left out, as pptpd does',
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
      'f:3: pptpd ignores this line, and it is not carried over: it ends in CR (a DOS line end), and so is not "noipparam"',
      'f:4: pptpd gives pppd the word "9600\\r", with which pppd serves nobody; written: 9600',
      'f:5: pptpd would not start: there is no file "/x/options\\r"; written: /x/options',
      'f:6: it ends in CR (a DOS line end), which pptpd takes into the value; carried over without it',
    ],
  },
  'unknown keywords, among them those of the command line alone': {
    file: 'speedy 1\nSPEED 9600\nfg\nfoo \u001b[31m\n',
    input: {},
    remarks: [
      'f:1: pptpd ignores this line, and it is not carried over: "speedy" is no keyword; "speed" would be one',
      'f:2: pptpd ignores this line, and it is not carried over: "SPEED" is no keyword; "speed" would be one',
      'f:3: pptpd ignores this line, and it is not carried over: "fg" is no keyword',
      'f:4: pptpd ignores this line, and it is not carried over: "foo" is no keyword',
    ],
  },
  'a flag takes no value': {
    file: 'logwtmp no\n',
    input: { pppd: { logwtmp: true } },
    remarks: ['f:1: "logwtmp" takes no value; "no" is left out, as pptpd does'],
  },
  'a line of 510 octets and more is ignored, one of 509 is not': {
    file: `noipparam ${'x'.repeat(500)}\nlogwtmp ${'x'.repeat(501)}\n`,
    input: { pppd: { logwtmp: true } },
    remarks: [
      'f:1: pptpd ignores this line, and it is not carried over: it is longer than 509 characters',
      `f:2: "logwtmp" takes no value; "${'x'.repeat(59)}…" is left out, as pptpd does`,
    ],
  },
  'vrf is of patched builds': {
    file: 'vrf blue\n',
    input: { listen: { vrf: 'blue' } },
    remarks: ["f:1: carried over; Debian's pptpd 1.4.0 ignores it, only patched builds know it"],
  },
  'stimeout in the file has no effect in pptpd': {
    file: 'stimeout 5\n',
    input: { timeouts: { firstMessage: 5 } },
    remarks: ['f:1: pptpd ignores it in its file, where 10 seconds stand; carried over all the same'],
  },
  'stimeout in the file that is no time': {
    file: 'stimeout soon\n',
    input: {},
    remarks: ['f:1: not carried over: pptpd ignores it in its file, and "soon" is no time'],
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
      "command line, -V: carried over; Debian's pptpd 1.4.0 would not start with it, only patched builds know it",
      'command line, -f: nothing to carry over: `pptpd-ts serve` stays in the foreground',
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
      "command line, --vrf: carried over; Debian's pptpd 1.4.0 would not start with it, only patched builds know it",
      'command line, --fg: nothing to carry over: `pptpd-ts serve` stays in the foreground',
    ],
  },
  'letters together, values attached, names cut short': {
    args: ['-dwi', '-s9600', '--opt=/x', '--conn', '7'],
    input: {
      limits: { connections: 7 },
      pppd: { options: '/x', speed: 9600, ipparam: false, logwtmp: true },
      log: { level: 'debug' },
    },
  },
  'of two options of the command line the last counts': {
    args: ['-s', '1', '-s', '2'],
    input: { pppd: { speed: 2 } },
    remarks: ['command line, -s: stands there twice; "2" counts, as in pptpd'],
  },
  'words that are no options are ignored': {
    args: ['foo', '-d', '-', '--', '-w'],
    input: { log: { level: 'debug' } },
    remarks: [
      'command line, foo: no option; pptpd ignores it',
      'command line, -: no option; pptpd ignores it',
      'command line, -w: stands behind --, where pptpd ignores it',
    ],
  },
  'the command line over the file, and for connections the file over the command line': {
    file: 'speed 300\nconnections 9\noption /same\n',
    args: ['-s', '9600', '-C', '7', '-o', '/same'],
    input: { limits: { connections: 9 }, pppd: { options: '/same', speed: 9600 } },
    remarks: [
      `f:1: the command line's "9600" takes its place`,
      `command line, -C: the file's "9" (line 2) takes its place, as in pptpd`,
    ],
  },
  'what belongs to another program, or looks like a comment, is no misspelt keyword': {
    file: 'name pptpd\nms-dns 192.0.2.53\n//logwtmp\n',
    input: {},
    remarks: [
      'f:1: pptpd ignores this line, and it is not carried over: "name" is no keyword',
      'f:2: pptpd ignores this line, and it is not carried over: "ms-dns" is no keyword',
      'f:3: pptpd ignores this line, and it is not carried over: "//logwtmp" is no keyword',
    ],
  },
  'blanks that are none for pptpd': {
    file: '\uFEFFspeed 9600\nlogwtmp\u00A0\n\u00A0debug\n\u00A0\n\u00A0# x\n',
    input: {},
    remarks: [
      'f:1: pptpd ignores this line, and it is not carried over: "\\ufeffspeed" is no keyword: the byte order mark before it belongs to the word',
      'f:2: pptpd ignores this line, and it is not carried over: "logwtmp\\u00a0" is no keyword: the no-break space (\\u00a0) belongs to the word',
      'f:3: pptpd ignores this line, and it is not carried over: "\\u00a0debug" is no keyword: the no-break space (\\u00a0) belongs to the word',
    ],
  },
  'a byte order mark before a comment harms nobody': { file: '\uFEFF# ours\n', input: {} },
  'a line ends at a NUL octet': {
    file: 'logwtmp\0 debug\nspeed 9600\0\n',
    input: { pppd: { logwtmp: true, speed: 9600 } },
    remarks: ['f:1: pptpd reads a line up to its first NUL octet; so does import (is the file UTF-16?)'],
  },
  'keywords without their values': {
    file: 'bcrelay\npidfile\nspeed\nconnections\nstimeout\nvrf\n',
    input: {},
    remarks: [
      'f:1: "bcrelay" has no value; pptpd relays no broadcasts; left out',
      'f:2: "pidfile" has no value; pptpd writes no process id; left out',
      'f:3: "speed" has no value; pptpd takes 115200, the default here too; left out',
      'f:4: pptpd ignores "", and 100 stands',
      'f:5: not carried over: pptpd ignores it in its file, and "" is no time',
      'f:6: "vrf" has no value; left out',
    ],
  },
  'bcrelay disable': {
    file: 'bcrelay disable\n',
    input: {},
    remarks: ['f:1: left out: pptpd looks for a network device "disable", finds none and relays nothing'],
  },
  'bcrelay with what is no name': {
    file: 'bcrelay eth1 # LAN\n',
    input: {},
    remarks: [
      'f:1: left out: pptpd takes all of "eth1 # LAN" for the name of a network device, finds none and relays nothing; set broadcastRelay.interface for a relay',
    ],
  },
  'bcrelay with a pattern': {
    file: 'bcrelay eth[01]\n',
    input: {},
    remarks: [
      'f:1: left out: pptpd takes "eth[01]" for a pattern of names; set broadcastRelay.interface to one of them',
    ],
  },
  pidfile: {
    file: 'pidfile /var/run/pptpd.pid # as ever\n',
    input: { pidFile: '/var/run/pptpd.pid' },
    remarks: ['f:1: pptpd names its file "/var/run/pptpd.pid # as ever"; written: /var/run/pptpd.pid'],
  },
  'pidfile that is not named from /': {
    file: 'pidfile pptpd.pid\n',
    input: {},
    remarks: [
      'f:1: left out: pptpd writes it in the directory that it runs in; pptpd-ts always writes manager.pid in its run directory',
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
    remarks: ['f:1: pptpd takes 192.0.2.1 from "192.0.2.1 # outside"; written: 192.0.2.1'],
  },
  'a speed with a comment': {
    file: 'speed 9600 # fast\n',
    input: { pppd: { speed: 9600 } },
    remarks: ['f:1: pptpd gives pppd the word "9600 # fast", with which pppd serves nobody; written: 9600'],
  },
  'a speed beyond every line': {
    file: 'speed 10000000\n',
    input: {},
    remarks: ['f:1: left out: pptpd tells pppd the speed 10000000, which a tunnel does not have; 115200 stands'],
  },
  'connections, as atoi reads it': {
    file: 'connections 9x\n',
    input: { limits: { connections: 9 } },
    remarks: ['f:1: pptpd reads "9x" as 9'],
  },
  'connections, more than an int': {
    file: 'connections 4294967305\n',
    input: { limits: { connections: 9 } },
    remarks: ['f:1: pptpd reads "4294967305" as 9'],
  },
  'connections, more than call ids': {
    file: 'connections 70000\n',
    input: { limits: { connections: 65535 } },
    remarks: ['f:1: pptpd counts to 70000; written: 65535, because PPTP has no more call ids'],
  },
  'connections that is no number above 0': {
    file: 'connections -3\n',
    input: {},
    remarks: ['f:1: pptpd ignores "-3", and 100 stands'],
  },
  'the command line names another file; help ends pptpd': {
    args: ['-c', '/etc/other.conf', '-h', '--version'],
    input: {},
    remarks: [
      'command line, -c: names another file (/etc/other.conf); f was read',
      'command line, -h: left out: pptpd only prints and ends with it',
      'command line, --version: left out: pptpd only prints and ends with it',
    ],
  },
};

for (const [name, { file = '', args = [], input, remarks = [] }] of Object.entries(rows)) {
  test(name, () => {
    const imported = importPptpd({ name: 'f', text: `${file}${POOL}` }, args);
    assert.deepEqual(imported, { ok: true, input: { ...ADDRESSES, ...input }, remarks });
  });
}

/** What leaves no configuration to write. */
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
    'f:1: pptpd would not start: "nowhere.example" is no address, and no host of that name is known here',
  ],
  ['', ['-C', '0'], 'command line, -C: with "0" pptpd lets nobody in; allowed: 1 to 65535'],
  ['', ['-C', 'many'], 'command line, -C: with "many" pptpd lets nobody in; allowed: 1 to 65535'],
  [
    '',
    ['-t', '0'],
    'command line, -t: timeouts.firstMessage: 0 is not allowed; allowed: a number above 0, up to 86400',
  ],
  ['', ['-zd'], 'command line, -z: no option of pptpd; it would not start'],
  ['', ['--con', '3'], 'command line, --con: no option of pptpd, or short for several; it would not start'],
  [
    '',
    ['--localip', '192.0.2.1'],
    'command line, --localip: no option of pptpd, or short for several; it would not start',
  ],
  ['', ['--debug=1'], 'command line, --debug=1: takes no value; pptpd would not start'],
  ['', ['-s'], 'command line, -s: its value is missing; pptpd would not start'],
];
for (const [file, args, ...expected] of faults) {
  test(`at fault: ${JSON.stringify(file)} ${args.join(' ')}`, () => {
    const imported = importPptpd({ name: 'f', text: `${file}${POOL}` }, args);
    assert.ok(!imported.ok, 'it must be refused');
    assert.deepEqual(imported.faults, expected);
  });
}

test('on the machine: files that pptpd would not find, host names that it would', () => {
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
      'f:1: pptpd looks up "vpn.example" when it starts; written: 192.0.2.9, its address now',
      'f:2: pptpd would not start: it could not use /x/options on this machine; written all the same',
      'f:3: pptpd would not start: it could not use /x/pppd on this machine; written all the same',
    ],
  });
});

test('the file that the command line names: the last one', () => {
  assert.equal(configurationFileOf(['-d', '-c', '/a', '--conf=/b']), '/b');
  assert.equal(configurationFileOf(['-d']), null);
});

test('lines of hosts.allow and hosts.deny that pptpd obeys', () => {
  const text = '# pptpd: ALL\nsshd: ALL\npptpd: 192.0.2.\nsshd, pptpd : LOCAL\nALL: ALL\npptpd-like: ALL\n';
  assert.deepEqual(
    remarksOfHostsFile({ name: 'h', text }),
    [
      [3, 'pptpd: 192.0.2.'],
      [4, 'sshd, pptpd : LOCAL'],
      [5, 'ALL: ALL'],
    ].map(
      ([line, rule]) =>
        `h:${line}: not carried over, and pptpd obeys it ("${rule}"); write access.allow and access.deny`,
    ),
  );
});
