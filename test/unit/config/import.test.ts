/** pptpd's file and command line, read by its own rules: each row was observed on pptpd 1.4.0 (Debian). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationFileOf, importPptpd, remarksOfHostsFile } from '../../../src/config/import.js';

/** What the addresses are where the file names none. */
const ADDRESSES = { addresses: { local: ['192.168.0.1'], remote: ['192.168.1.1-100'] } };

interface Row {
  readonly file?: string;
  readonly args?: readonly string[];
  /** Beside the addresses, unless it names some. */
  readonly input: Record<string, unknown>;
  readonly remarks?: readonly string[];
}

const rows: Readonly<Record<string, Row>> = {
  'an empty file is pptpd’s defaults': { input: {} },
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
      'localip 192.168.0.1',
      'remoteip 192.168.0.234-238,192.168.0.245',
    ].join('\n'),
    input: {
      listen: { address: '192.0.2.1' },
      addresses: { local: ['192.168.0.1'], remote: ['192.168.0.234-238', '192.168.0.245'] },
      limits: { connections: 20 },
      pppd: { path: '/usr/sbin/pppd', options: '/etc/ppp/pptpd-options', speed: 9600, ipparam: false, logwtmp: true },
      log: { level: 'debug' },
    },
  },
  'one space, several and tabs stand between keyword and value': {
    file: 'speed \t 9600\noption\t/etc/x\n',
    input: { pppd: { speed: 9600, options: '/etc/x' } },
  },
  'the last line needs no line end': {
    file: 'noipparam\nspeed 9600',
    input: { pppd: { ipparam: false, speed: 9600 } },
  },
  'the first match counts': {
    file: 'speed 9600\n\nspeed 300\nremoteip 192.0.2.1\nremoteip 192.0.2.2\n',
    input: { addresses: { local: ['192.168.0.1'], remote: ['192.0.2.1'] }, pppd: { speed: 9600 } },
    remarks: [
      'f:3: pptpd ignores this line, and it is not carried over: "speed" stands in line 1 already, and the first counts',
      'f:5: pptpd ignores this line, and it is not carried over: "remoteip" stands in line 4 already, and the first counts',
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
      'f:2: pptpd ignores this line, and it is not carried over: it begins with a space ("logwtmp")',
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
    file: '# x\r\n\r\nnoipparam\r\nspeed 9600\r\nremoteip 192.0.2.1\r\n',
    input: { addresses: { local: ['192.168.0.1'], remote: ['192.0.2.1'] }, pppd: { speed: 9600 } },
    remarks: [
      'f:3: pptpd ignores this line, and it is not carried over: it ends in CR (a DOS line end), and so is not "noipparam"',
      'f:4: it ends in CR (a DOS line end), which pptpd takes into the value; carried over without it',
      'f:5: it ends in CR (a DOS line end), which pptpd takes into the value; carried over without it',
    ],
  },
  'unknown keywords, among them those of the command line alone': {
    file: 'speedy 1\nSPEED 9600\nfg\nfoo \u001b[31m\n',
    input: {},
    remarks: [
      'f:1: pptpd ignores this line, and it is not carried over: "speedy" is no keyword',
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
    remarks: ["f:1: carried over; Debian's pptpd 1.4.0 does not know it, only patched builds do"],
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
  'connections is read as atoi does': {
    file: 'connections 5x\n',
    input: { limits: { connections: 5 } },
    remarks: ['f:1: pptpd reads "5x" as 5'],
  },
  'connections that is no number above 0 is ignored': {
    file: 'connections -3\n',
    input: {},
    remarks: ['f:1: pptpd ignores "-3", and 100 stands'],
  },
  'delegate: no addresses at all': {
    file: 'delegate\nlocalip 192.0.2.1\nremoteip 192.0.2.2-5\n',
    input: { addresses: { local: [], delegate: true } },
    remarks: ['f:2: left out: pptpd ignores it with "delegate"', 'f:3: left out: pptpd ignores it with "delegate"'],
  },
  'a dash in any one octet': {
    file: 'localip 192.0.2.1\nremoteip 192.0.1-2.9\n',
    input: { addresses: { local: ['192.0.2.1'], remote: ['192.0.1-2.9'] } },
  },
  'fewer local addresses than remote ones, but not one: as many clients': {
    file: 'remoteip 192.0.2.12-15,192.0.2.30\nlocalip 192.0.2.1-3\n',
    input: { addresses: { local: ['192.0.2.1-3'], remote: ['192.0.2.12-192.0.2.14'] } },
    remarks: [
      'f:1: only the first 3 of 5 addresses are carried over: pptpd serves no more clients than localip has addresses',
    ],
  },
  'more local addresses than remote ones': {
    file: 'localip 192.0.2.1-9\nremoteip 192.0.2.12-15\n',
    input: { addresses: { local: ['192.0.2.1-9'], remote: ['192.0.2.12-15'] } },
  },
  'notations that only we know': {
    file: 'remoteip 192.0.2.0/28, 192.0.2.32-192.0.2.40\n',
    input: { addresses: { local: ['192.168.0.1'], remote: ['192.0.2.0/28', '192.0.2.32-192.0.2.40'] } },
    remarks: ['f:1: carried over, though pptpd would not start with "192.0.2.0/28", " 192.0.2.32-192.0.2.40"'],
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
      "command line, -V: carried over; Debian's pptpd 1.4.0 does not know it, only patched builds do",
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
      "command line, --vrf: carried over; Debian's pptpd 1.4.0 does not know it, only patched builds do",
      'command line, --fg: nothing to carry over: `pptpd-ts serve` stays in the foreground',
    ],
  },
  'delegate on the command line': { args: ['--delegate'], input: { addresses: { local: [], delegate: true } } },
  '-D': { args: ['-D'], input: { addresses: { local: [], delegate: true } } },
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
  'the command line over the file, for connections too': {
    file: 'speed 300\nconnections 3\noption /same\n',
    args: ['-s', '9600', '-C', '7', '-o', '/same'],
    input: { limits: { connections: 7 }, pppd: { options: '/same', speed: 9600 } },
    remarks: [
      `f:1: the command line's "9600" takes its place`,
      `f:2: the command line's "7" takes its place; in pptpd it is the other way round`,
    ],
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
    const imported = importPptpd({ name: 'f', text: file }, args);
    assert.deepEqual(imported, { ok: true, input: { ...ADDRESSES, ...input }, remarks });
  });
}

const faults: readonly [file: string, args: readonly string[], ...faults: (string | RegExp)[]][] = [
  ['speed\n', [], 'f:1: "speed" has no value'],
  ['option \n', [], 'f:1: "option" has no value'],
  ['remoteip \n', [], /^f:1: addresses\.remote\[0\]: "" is not allowed \(it is empty\)/],
  ['speed 9600 # fast\n', [], /^f:1: pppd\.speed: "9600 # fast" is not allowed; allowed: a whole number/],
  ['\noption pptpd-options\n', [], 'f:2: pppd.options: "pptpd-options" is not allowed; allowed: an absolute path'],
  ['ppp pppd\n', [], 'f:1: pppd.path: "pppd" is not allowed; allowed: an absolute path'],
  ['listen localhost\n', [], /^f:1: listen\.address: "localhost" is not allowed; allowed: an IPv4 address/],
  ['remoteip localhost,192.0.2.9-4\n', [], /^f:1: .*"localhost".*no address/, /^f:1: .*"192\.0\.2\.9-4".*backwards/],
  ['remoteip 192.0.2.010\n', [], /^f:1: addresses\.remote\[0\]: "192\.0\.2\.010" is not allowed/],
  ['remoteip 192.0.2.1,192.0.2.1\n', [], /^f:1: addresses\.remote\[1\]: .*a second time/],
  ['remoteip 192.0.2.1-9\nlocalip 192.0.2.5\n', [], /^f:2: addresses\.local: "192\.0\.2\.5" .*'remote' too/],
  ['remoteip 192.168.0.1-9\n', [], /^pptpd's default: addresses\.local: "192\.168\.0\.1" .*'remote' too/],
  ['connections 70000\n', [], /^f:1: limits\.connections: 70000 is not allowed/],
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
  ['', ['--debug=1'], 'command line, --debug=1: takes no value'],
  ['', ['-s'], 'command line, -s: its value is missing; pptpd would not start'],
];
for (const [file, args, ...expected] of faults) {
  test(`at fault: ${JSON.stringify(file)} ${args.join(' ')}`, () => {
    const imported = importPptpd({ name: 'f', text: file }, args);
    assert.ok(!imported.ok, 'it must be refused');
    assert.equal(imported.faults.length, expected.length, imported.faults.join('\n'));
    for (const [index, fault] of imported.faults.entries()) {
      const pattern = expected[index];
      if (pattern instanceof RegExp) assert.match(fault, pattern);
      else assert.equal(fault, pattern);
    }
  });
}

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
