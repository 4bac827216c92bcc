import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationSchema } from '../../../src/config/schema.js';
import { requiredLogin, requiredMppe } from '../../../src/accounts/pppd-login.js';
import { has } from '../../../src/accounts/pppd-option-table.js';
import { effectiveOptions, serverName } from '../../../src/doctor/effective-options.js';
import { type Machine, thisMachine } from '../../../src/doctor/machine.js';

const ROOT = '/proc/self/status';

/** A machine with only these files. The server is root, whose home folder is /root. */
const machine = (files: Readonly<Record<string, string>>): Machine => ({
  ...thisMachine,
  read: (path) =>
    ({
      [ROOT]: 'Uid:\t0\t0\t0\t0\n',
      '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
      '/proc/sys/kernel/hostname': 'gateway\n',
      ...files,
    })[path] ?? null,
});

function optionsOf(
  files: Readonly<Record<string, string>>,
  ...args: readonly string[]
): ReturnType<typeof effectiveOptions> {
  const configuration = configurationSchema.parse({ pppd: { options: '/etc/ppp/options.pptpd', args } });
  return effectiveOptions(configuration, machine(files));
}

const text = (options: ReturnType<typeof effectiveOptions>): string[] =>
  options.map(({ name, value }) => (value === null ? name : `${name}=${value}`));

test('files in their order, including the files that they name, then the arguments', () => {
  const options = optionsOf(
    {
      '/etc/ppp/options': 'auth lock # both\n',
      '/root/.ppprc': 'debug\n',
      '/etc/ppp/options.pptpd': 'file /etc/more\ncall peer\nmtu\n  1400 noipv6\n',
      '/etc/more': 'name "a b"\nfile /etc/more\n',
      '/etc/ppp/peers/peer': 'proxyarp\n',
    },
    'ipparam',
    'silent',
  );
  assert.deepEqual(text(options), [
    'auth',
    'lock',
    'debug',
    'name=a b',
    'proxyarp',
    'mtu=1400',
    'noipv6',
    'ipparam=silent',
  ]);
  assert.equal(has(options, 'silent'), false, 'a value is no option');
});

const mppe: [words: string, required: string | null][] = [
  ['require-mppe', 'require-mppe'],
  ['+mppe-128', '+mppe-128'],
  ['require-mppe-128 nomppe', null],
  ['nomppe require-mppe-40', 'require-mppe-40'],
  // Observed: pppd still requires MPPE.
  ['require-mppe-128 nomppe-128', 'require-mppe-128'],
  ['user require-mppe', null],
  ['mtu 1400', null],
];
for (const [words, required] of mppe) {
  test(`MPPE by "${words}": ${required}`, () =>
    assert.equal(requiredMppe(optionsOf({ '/etc/ppp/options.pptpd': words })), required));
}

const logins: [words: string, login: ReturnType<typeof requiredLogin>][] = [
  ['', { required: false, because: null }],
  ['auth noauth', { required: false, because: 'noauth' }],
  ['user auth', { required: false, because: null }],
  ['auth', { required: true, methods: ['mschap-v2', 'mschap', 'chap', 'eap', 'pap'], options: ['auth'] }],
  ['noauth +mschap-v2', { required: true, methods: ['mschap-v2'], options: ['+mschap-v2'] }],
  [
    'require-pap auth require-chap',
    { required: true, methods: ['chap', 'pap'], options: ['require-pap', 'auth', 'require-chap'] },
  ],
];
for (const [words, login] of logins) {
  test(`login by "${words}"`, () =>
    assert.deepEqual(requiredLogin(optionsOf({ '/etc/ppp/options.pptpd': words })), login));
}

const names: [words: string, name: string][] = [
  ['', 'gateway'],
  ['name pptpd', 'pptpd'],
  ['name a#b', 'a'],
  ['name ""\n', 'gateway'],
  ['name pptpd usehostname', 'gateway'],
  ['domain example.net', 'gateway.example.net'],
];
for (const [words, name] of names) {
  test(`the server's name by "${words.trim()}": ${name}`, () =>
    assert.equal(serverName(optionsOf({ '/etc/ppp/options.pptpd': words }), machine({})), name));
}
