/** The configuration and the users that a container's variables give, and the sentences about wrong ones. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { entriesOf, entryFor } from '../../../src/accounts/chap-secrets.js';
import { textOf } from '../../../src/accounts/pppd-words.js';
import { checkConfiguration } from '../../../src/config/load.js';
import type { ConfigurationInput } from '../../../src/config/schema.js';
import {
  configurationFrom,
  type Environment,
  type Given,
  givenVariables,
  VARIABLE_NAMES,
} from '../../../src/container/variables.js';

const starter = JSON.parse(readFileSync('scripts/etc/pptpd-ts.json', 'utf8')) as ConfigurationInput;
const USERS = { PPTPD_TS_USERS: 'alice:secret' };

const from = (environment: Environment, given: Partial<Given> = {}): ReturnType<typeof configurationFrom> =>
  configurationFrom({
    environment,
    starter,
    usersFile: null,
    mountedSecrets: null,
    hasAccounts: false,
    secretsPath: '/run/generated/chap-secrets',
    ...given,
  });

function effective(
  environment: Environment,
  given?: Partial<Given>,
): { input: ConfigurationInput; secrets: string | null } {
  const result = from(environment, given);
  assert.ok(result.ok, result.ok ? '' : result.problems.join('\n'));
  assert.ok(checkConfiguration(result.input).ok);
  return result;
}

const problems = (environment: Environment, given?: Partial<Given>): readonly string[] => {
  const result = from(environment, given);
  assert.ok(!result.ok, 'it must be refused');
  return result.problems;
};

const passwordOf = (secrets: string | null, name: string): string =>
  textOf(entryFor(entriesOf(secrets ?? ''), name, 'pptpd')?.secret?.bytes ?? 'nobody');

test('users alone: the starter configuration with their file', () => {
  const { input, secrets } = effective(USERS);
  assert.deepEqual(input, { ...starter, ppp: { ...starter.ppp, secrets: '/run/generated/chap-secrets' } });
  assert.equal(secrets, '"alice" * "secret" *\n');
});

test('every variable replaces its key, and nothing else', () => {
  const { input } = effective({
    ...USERS,
    PPTPD_TS_LOCAL: '198.51.100.1',
    PPTPD_TS_POOL: '198.51.100.10-20, 198.51.100.30',
    PPTPD_TS_DNS: '192.0.2.53,192.0.2.54',
    PPTPD_TS_MASQUERADE: 'eth0 eth1',
    PPTPD_TS_LOG_LEVEL: 'debug',
  });
  assert.deepEqual(input.addresses, { local: ['198.51.100.1'], remote: ['198.51.100.10-20', '198.51.100.30'] });
  assert.deepEqual(input.ppp, {
    ...starter.ppp,
    dns: ['192.0.2.53', '192.0.2.54'],
    secrets: '/run/generated/chap-secrets',
  });
  assert.deepEqual(input.network, { masquerade: ['eth0', 'eth1'] });
  assert.deepEqual(input.log, { level: 'debug' });
  assert.deepEqual(effective({ ...USERS, PPTPD_TS_MASQUERADE: 'auto' }).input.network, { masquerade: 'auto' });
  assert.deepEqual(input.limits, starter.limits);
});

test('passwords are read back from the file as they were given', () => {
  const given = { alice: String.raw`a"b\c'd#e:f`, bob: 'two words  and more', 'DOM\\carol': 'päßword' };
  const usersFile = Object.entries(given)
    .map(([name, password]) => `${name}:${password}\n`)
    .join('\r\n');
  const { secrets } = effective({ PPTPD_TS_USERS_FILE: '/run/secrets/users' }, { usersFile });
  for (const [name, password] of Object.entries(given)) assert.equal(passwordOf(secrets, name), password);
});

test('mounted chap-secrets are used as they are', () => {
  const { input, secrets } = effective({}, { mountedSecrets: '/etc/ppp/chap-secrets' });
  assert.equal(secrets, null);
  assert.deepEqual(input, starter);
});

test('a volume for the users of pptpd-ts users is enough', () => {
  assert.equal(effective({}, { hasAccounts: true }).secrets, null);
  assert.notEqual(effective(USERS, { hasAccounts: true }).secrets, null);
});

test('variables with an empty value, and those that Kubernetes makes of a service, are not given', () => {
  const environment = {
    PPTPD_TS_DNS: '',
    PPTPD_TS_PORT: 'tcp://192.0.2.1:1723',
    PPTPD_TS_PORT_1723_TCP_ADDR: '192.0.2.1',
    PPTPD_TS_SERVICE_HOST: '192.0.2.1',
    PATH: '/bin',
  };
  assert.deepEqual(givenVariables(environment), []);
  effective({ ...environment, ...USERS });
});

const WRONG: readonly [name: string, environment: Environment, given: Partial<Given>, expected: readonly RegExp[]][] = [
  ['no users', {}, {}, [/^there are no users, so nobody can log in; remedy: set PPTPD_TS_USERS=/]],
  [
    'an unknown variable',
    { ...USERS, PPTPD_TS_POOLS: 'x' },
    {},
    [/^PPTPD_TS_POOLS is not a variable of this image; remedy: use one of .*PPTPD_TS_POOL/],
  ],
  [
    'a wrong pool',
    { ...USERS, PPTPD_TS_POOL: '198.51.100.300' },
    {},
    [/^PPTPD_TS_POOL: "198\.51\.100\.300" is not allowed .*; allowed: /],
  ],
  [
    'a wrong log level',
    { ...USERS, PPTPD_TS_LOG_LEVEL: 'loud' },
    {},
    [/^PPTPD_TS_LOG_LEVEL: "loud" is not allowed; allowed: "trace"/],
  ],
  [
    'three name servers',
    { ...USERS, PPTPD_TS_DNS: '192.0.2.1 192.0.2.2 192.0.2.3' },
    {},
    [/^PPTPD_TS_DNS: .* is not allowed/],
  ],
  [
    'the server in its own pool',
    { ...USERS, PPTPD_TS_LOCAL: '10.99.0.10' },
    {},
    [/^PPTPD_TS_LOCAL: "10\.99\.0\.10" is not allowed \(it is in 'remote' too\)/],
  ],
  [
    'users from two places',
    USERS,
    { usersFile: 'bob:x' },
    [/^users are given twice, by PPTPD_TS_USERS and PPTPD_TS_USERS_FILE; remedy: remove one$/],
  ],
  [
    'users beside chap-secrets',
    USERS,
    { mountedSecrets: '/etc/ppp/chap-secrets' },
    [/by PPTPD_TS_USERS and \/etc\/ppp\/chap-secrets; remedy/],
  ],
  [
    'a missing users file',
    { PPTPD_TS_USERS_FILE: '/run/secrets/users' },
    { usersFile: new Error('ENOENT') },
    [
      /^PPTPD_TS_USERS_FILE: \/run\/secrets\/users cannot be read \(ENOENT\); remedy: mount it there, readable by root$/,
    ],
  ],
  [
    'an empty users file',
    { PPTPD_TS_USERS_FILE: '/f' },
    { usersFile: '\n' },
    [/^PPTPD_TS_USERS_FILE has no users; remedy/],
  ],
  [
    'a user without a password',
    { PPTPD_TS_USERS: 'alice: b hunter2' },
    {},
    [/^PPTPD_TS_USERS: user 1 does not have the form NAME:PASSWORD/, /user 2 does not/, /user 3 does not/],
  ],
  ['a user twice', { PPTPD_TS_USERS: 'alice:hunter2 alice:hunter2' }, {}, [/^PPTPD_TS_USERS: "alice" appears twice/]],
  ['a name with a blank', { PPTPD_TS_USERS_FILE: '/f' }, { usersFile: 'a b:hunter2' }, [/user 1 has a blank/]],
  [
    'what chap-secrets would mean otherwise',
    { PPTPD_TS_USERS: '*:hunter2 bob:@/hunter2' },
    {},
    [/user 1 has the name "\*"/, /user 2 has a password that begins with "@\/"/],
  ],
  ['several mistakes at once', { PPTPD_TS_POOL: 'x', PPTPD_TS_LOG_LEVEL: 'y' }, {}, [/POOL/, /LOG_LEVEL/, /no users/]],
];

for (const [name, environment, given, expected] of WRONG) {
  test(`refused with a sentence: ${name}`, () => {
    const sentences = problems(environment, given);
    assert.equal(sentences.length, expected.length, sentences.join('\n'));
    for (const [index, pattern] of expected.entries()) assert.match(sentences[index] ?? '', pattern);
    assert.doesNotMatch(sentences.join(), /hunter2/, 'a password');
  });
}

test('the page on containers describes every variable, and no other', () => {
  const page = readFileSync('docs/container.md', 'utf8');
  const described = [...page.matchAll(/^\| `(PPTPD_TS_\w+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(described, VARIABLE_NAMES);
});
