/** pppd's options as the section `ppp`: options files of distributions and tutorials, and single options. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { importPptpd } from '../../../src/config/import.js';
import { checkConfiguration } from '../../../src/config/load.js';
import { pppdArgumentsOf } from '../../../src/config/ppp-settings.js';

const FILE = '/etc/ppp/options.pptpd';

interface Imported {
  readonly ppp: unknown;
  readonly remarks: readonly string[];
}

/** Imports a pptpd.conf that names the file on a machine with these files. */
function imported(files: Readonly<Record<string, string>>, option = FILE): Imported {
  const text = `option ${option}\nlocalip 192.0.2.1\nremoteip 198.51.100.1-5\n`;
  const result = importPptpd({ name: 'f', text }, [], {
    lookUp: (name) => (/^[\d.]+$/.test(name) ? name : name === 'dns.example' ? '192.0.2.53' : null),
    isReadable: () => true,
    isExecutable: () => true,
    read: (path) => files[path] ?? null,
  });
  assert.ok(result.ok, result.ok ? '' : result.faults.join('\n'));
  assert.ok(checkConfiguration(result.input).ok, 'the result is valid');
  assert.deepEqual(result.input.pppd, { options: option }, 'pppd keeps its options file');
  return { ppp: result.input.ppp, remarks: result.remarks };
}

const ofPppd = (place: string, words: string, advice: string): string =>
  `${place}: "${words}" holds with pppd only: ${advice}`;

const files: [title: string, files: Readonly<Record<string, string>>, ppp: object, remarks: readonly string[]][] = [
  [
    'Debian, pptpd-options with options',
    {
      '/etc/ppp/options':
        'asyncmap 0\nauth\ncrtscts\nlock\nhide-password\nmodem\nlcp-echo-interval 30\nlcp-echo-failure 4\nnoipx\n',
      [FILE]:
        'name pptpd\nrefuse-pap\nrefuse-chap\nrefuse-mschap\nrequire-mschap-v2\nrequire-mppe-128\n#ms-dns 192.0.2.1\nproxyarp\nnodefaultroute\n#debug\nlock\nnobsdcomp\nnovj\nnovjccomp\nnologfd\n',
    },
    {
      name: 'pptpd',
      authentication: ['ms-chap-v2'],
      encryption: 'require',
      lcpEcho: { interval: 30, failures: 4 },
      proxyArp: true,
    },
    [],
  ],
  [
    'the options that earlier starter configurations had',
    { [FILE]: readFileSync('test/lab/common/etc/ppp/options.pptpd', 'utf8') },
    {
      name: 'pptpd',
      authentication: ['ms-chap-v2'],
      encryption: 'require',
      mtu: 1400,
      mru: 1400,
      lcpEcho: { interval: 30, failures: 4 },
      ipv6: false,
      proxyArp: true,
    },
    [],
  ],
  [
    'a tutorial for a rented server',
    {
      [FILE]:
        'name pptpd\nrefuse-eap\nrefuse-pap\nrefuse-chap\nrefuse-mschap\nrequire-mschap-v2\nrequire-mppe\nrequire-mppe-128\nauth\nproxyarp\nlock\nnobsdcomp\nnovj\nnovjccomp\nnolog\nnologfd\nlcp-echo-interval 30\nlcp-echo-failure 5\nmtu 1200\nmru 1200\nms-dns 192.0.2.8\nms-dns 192.0.2.4\n',
    },
    {
      name: 'pptpd',
      authentication: ['ms-chap-v2'],
      encryption: 'require',
      encryptionKeys: [128, 40],
      dns: ['192.0.2.8', '192.0.2.4'],
      mtu: 1200,
      mru: 1200,
      lcpEcho: { interval: 30, failures: 5 },
      proxyArp: true,
    },
    [ofPppd(`${FILE}:15`, 'nolog', 'the builtin engine has no such option')],
  ],
  [
    'OpenWrt, whose pppd was patched for MPPE: the default, which requires it, holds',
    {
      [FILE]:
        '#debug\n172.16.1.1:\nauth\nname "pptp-server"\nlcp-echo-failure 3\nlcp-echo-interval 60\ndefault-asyncmap\nmtu 1482\nmru 1482\nnobsdcomp\nnodeflate\nmppe required,no40,no56,stateless\nrequire-mschap-v2\nrefuse-chap\nrefuse-mschap\nrefuse-eap\nrefuse-pap\n',
    },
    {
      name: 'pptp-server',
      authentication: ['ms-chap-v2'],
      mtu: 1482,
      mru: 1482,
      lcpEcho: { interval: 60, failures: 3 },
    },
    [
      ofPppd(`${FILE}:2`, '172.16.1.1:', 'the builtin engine takes the addresses of the section "addresses"'),
      ofPppd(`${FILE}:12`, 'mppe', 'the builtin engine has no such option'),
      ofPppd(`${FILE}:12`, 'required,no40,no56,stateless', 'the builtin engine has no such option'),
    ],
  ],
  [
    'a router that lets MS-CHAP in and has RADIUS',
    {
      [FILE]:
        'plugin radius.so\nplugin radattr.so\nradius-config-file /etc/vpn/radiusclient.conf\nlock\nname *\nproxyarp\nlcp-echo-failure 10\nlcp-echo-interval 5\nlcp-echo-adaptive\nauth\nnobsdcomp\nrefuse-pap\nrefuse-chap\nnomppe-stateful\nrequire-mschap\nrequire-mschap-v2\nrequire-mppe-128\nms-wins 192.0.2.9\n',
    },
    {
      name: '*',
      authentication: ['ms-chap-v2', 'ms-chap'],
      encryption: 'require',
      statefulEncryption: false,
      wins: ['192.0.2.9'],
      lcpEcho: { interval: 5, failures: 10 },
      proxyArp: true,
    },
    [
      ofPppd(
        `${FILE}:1`,
        'plugin radius.so',
        'the builtin engine loads no plugins, and its users are those of ppp.secrets',
      ),
      ofPppd(
        `${FILE}:2`,
        'plugin radattr.so',
        'the builtin engine loads no plugins, and its users are those of ppp.secrets',
      ),
      ofPppd(`${FILE}:3`, 'radius-config-file /etc/vpn/radiusclient.conf', 'the builtin engine has no such option'),
      ofPppd(`${FILE}:9`, 'lcp-echo-adaptive', 'the builtin engine has no such option'),
    ],
  ],
];

for (const [title, machine, ppp, remarks] of files) {
  test(`options file: ${title}`, () => assert.deepEqual(imported(machine), { ppp, remarks }));
}

/** Appended to single options, so that there are no other remarks. */
const REST = '\nname pptpd\nrequire-mschap-v2\n';
const NAMED = { name: 'pptpd', authentication: ['ms-chap-v2'] };

const single: [words: string, ppp: object, advice?: string][] = [
  ['# nothing', { encryption: 'none' }],
  ['require-mppe', { encryption: 'require', encryptionKeys: [128, 40] }],
  ['require-mppe\nnomppe-40', { encryption: 'require' }],
  ['require-mppe-40', { encryption: 'require', encryptionKeys: [40] }],
  ['require-mppe-40\n+mppe-128', { encryption: 'require', encryptionKeys: [128, 40] }],
  ['require-mppe-40\nnomppe\nrequire-mppe-128', { encryption: 'require' }],
  ['require-mppe-128\nnomppe', { encryption: 'none' }],
  ['mppe-stateful', { encryption: 'none', statefulEncryption: true }],
  ['chapms-strip-domain', { encryption: 'none', stripDomain: true }],
  ['+ipv6', { encryption: 'none', ipv6: true }],
  ['+ipv6\n-ipv6', { encryption: 'none', ipv6: false }],
  ['ipv6 ::1,::2', { encryption: 'none', ipv6: true }, 'the builtin engine chooses the interface identifiers itself'],
  ['proxyarp\nnoproxyarp', { encryption: 'none', proxyArp: false }],
  ['mtu 0x578\nmru 02570', { encryption: 'none', mtu: 1400, mru: 1400 }],
  ['ms-dns dns.example', { encryption: 'none', dns: ['192.0.2.53'] }],
  ['ms-dns 192.0.2.1\nms-dns 192.0.2.2\nms-dns 192.0.2.3', { encryption: 'none', dns: ['192.0.2.2', '192.0.2.3'] }],
  ['lcp-echo-interval 0\nlcp-echo-failure 9', { encryption: 'none', lcpEcho: { interval: 0, failures: 4 } }],
  ['lcp-echo-failure 9', { encryption: 'none' }],
  ['chap-secrets /etc/vpn', { encryption: 'none', secrets: '/etc/vpn' }],
  ['"mtu" 1\\\n300', { encryption: 'none', mtu: 1300 }],
  ['115200\n/dev/ttyS0\nlogfile /var/log/ppp.log\ndebug', { encryption: 'none' }],
  ['mtu 9000', { encryption: 'none' }, 'ppp.mtu: 9000 is not allowed; allowed: a whole number from 128 to 1500'],
  [
    'ms-dns nowhere.example',
    { encryption: 'none' },
    'ppp.dns[0]: "nowhere.example" is not allowed; allowed: an IPv4 address, for example 192.0.2.1',
  ],
  [
    'lcp-echo-interval 30',
    { encryption: 'none' },
    'ppp.lcpEcho.failures: 0 is not allowed; allowed: a whole number from 1 to 100',
  ],
  ['require-eap', { encryption: 'none' }, 'the builtin engine does not know EAP'],
  ['idle 600', { encryption: 'none' }, 'policy.idleTime holds for both engines'],
  ['maxconnect 600', { encryption: 'none' }, 'policy.sessionTime holds for both engines'],
  ['noauth', { encryption: 'none' }, 'the builtin engine lets nobody in without a login'],
  ['login', { encryption: 'none' }, 'the builtin engine knows the passwords of ppp.secrets only'],
  ['deflate 15', { encryption: 'none' }, 'the builtin engine has no such option'],
];

for (const [words, ppp, advice] of single) {
  test(`options "${words.replaceAll('\n', ' ')}"`, () =>
    assert.deepEqual(imported({ [FILE]: words + REST }), {
      ppp: { ...NAMED, ...ppp },
      remarks: advice === undefined ? [] : [ofPppd(`${FILE}:1`, words.split('\n')[0] ?? '', advice)],
    }));
}

test('logins without keys for MPPE, which is required, are left out and named', () => {
  const { ppp, remarks } = imported({ [FILE]: 'name pptpd\nrequire-mschap-v2\nrequire-pap\nrequire-mppe-128\n' });
  assert.deepEqual(ppp, { name: 'pptpd', authentication: ['ms-chap-v2'], encryption: 'require' });
  assert.deepEqual(remarks, [
    ofPppd(
      `${FILE}:3`,
      'require-pap',
      'a client that logs in so is refused afterwards, because MPPE takes its keys from MS-CHAP',
    ),
  ]);
  const onlyPap = imported({ [FILE]: 'name pptpd\nrequire-pap\nrequire-mppe-128\n' });
  assert.deepEqual(onlyPap.ppp, { name: 'pptpd', encryption: 'require' });
});

test('what is missing in the file and differs between the engines is said', () => {
  const { ppp, remarks } = imported({ [FILE]: 'auth\n' });
  assert.deepEqual(ppp, { encryption: 'none' });
  assert.deepEqual(remarks, [
    `f:1: ${FILE} sets no "name": pppd takes the host name for the second column of chap-secrets, the builtin engine "pptpd"; set ppp.name`,
    `f:1: ${FILE} requires no certain login method, and pppd accepts any; the builtin engine accepts MS-CHAPv2 only; set ppp.authentication`,
  ]);
});

test('files that the file includes count, and lines are named by their own file', () => {
  const { ppp, remarks } = imported(
    { '/etc/ppp/peers/vpn': `file ${FILE}\n`, [FILE]: 'name pptpd\nrequire-mschap-v2\nplugin winbind.so\nmtu 1300\n' },
    '/etc/ppp/peers/vpn',
  );
  assert.deepEqual(ppp, { ...NAMED, encryption: 'none', mtu: 1300 });
  assert.match(remarks.join('\n'), /^\/etc\/ppp\/options\.pptpd:3: "plugin winbind\.so" holds with pppd only/);
});

test("MPPE that the system's file requires is not switched off", () => {
  const { ppp } = imported({ '/etc/ppp/options': 'require-mppe-128\n', [FILE]: 'name pptpd\nrequire-mschap-v2\n' });
  assert.deepEqual(ppp, { ...NAMED, encryption: 'require' });
});

test('a file that cannot be read is said, and nothing is written', () => {
  const { ppp, remarks } = imported({});
  assert.equal(ppp, undefined);
  assert.deepEqual(remarks, [
    `f:1: ${FILE} cannot be read here: its options hold with pppd, the builtin engine uses its defaults`,
  ]);
});

test('pppd gets from the section what it had from the file, and nothing is turned off', () => {
  for (const [title, machine] of files) {
    const { ppp } = imported(machine);
    const checked = checkConfiguration({ ppp });
    assert.ok(checked.ok, title);
    const words = new Set(machine[FILE]?.split(/\s+/));
    for (const word of pppdArgumentsOf(checked.configuration.ppp)) {
      const opposite = word.startsWith('no') ? word.slice(2) : `no${word}`;
      assert.ok(!words.has(opposite), `${title}: ${word}`);
    }
  }
});
