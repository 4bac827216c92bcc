import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfiguration } from '../../../src/config/load.js';
import { pppdArgumentsOf, pppSettings } from '../../../src/config/ppp-settings.js';
import type { ConfigurationInput } from '../../../src/config/schema.js';

type Ppp = NonNullable<ConfigurationInput['ppp']>;

function checked(ppp: Ppp) {
  const result = checkConfiguration({ ppp });
  assert(result.ok);
  return result.configuration.ppp;
}

function problemsOf(ppp: Ppp): string[] {
  const result = checkConfiguration({ ppp });
  return result.ok ? [] : result.problems.map(({ key, text }) => `${key}: ${text}`);
}

test('the builtin engine has a default for every key', () =>
  assert.deepEqual(pppSettings(checked({})), {
    name: 'pptpd',
    authentication: ['ms-chap-v2'],
    encryption: 'require',
    encryptionKeys: [128],
    statefulEncryption: false,
    stripDomain: false,
    dns: [],
    wins: [],
    mtu: 1400,
    mru: 1400,
    lcpEcho: { interval: 30, failures: 4 },
    ipv6: false,
    proxyArp: false,
    secrets: '/etc/ppp/chap-secrets',
  }));

test('what is written replaces the default', () => {
  const settings = pppSettings(checked({ mtu: 1200, encryption: 'prefer', secrets: '/etc/other' }));
  assert.equal(settings.mtu, 1200);
  assert.equal(settings.encryption, 'prefer');
  assert.equal(settings.secrets, '/etc/other');
  assert.equal(settings.mru, 1400);
});

test('pppd is passed no argument for keys that are not written', () =>
  assert.deepEqual(pppdArgumentsOf(checked({ engine: 'pppd' })), []));

test('pppd is told of each key length whether it is allowed', () => {
  const requirement = (encryptionKeys: Ppp['encryptionKeys']): string[] =>
    pppdArgumentsOf(checked({ encryption: 'require', encryptionKeys })).slice(0, 2);
  assert.deepEqual(requirement(undefined), ['require-mppe-128', 'nomppe-40']);
  assert.deepEqual(requirement([128]), ['require-mppe-128', 'nomppe-40']);
  assert.deepEqual(requirement([40]), ['nomppe-128', 'require-mppe-40']);
  assert.deepEqual(requirement([40, 128]), ['require-mppe-128', 'require-mppe-40']);
});

test('encryption that is required needs a login that makes keys', () => {
  assert.match(problemsOf({ authentication: ['ms-chap-v2', 'pap'], encryption: 'require' })[0] ?? '', /MS-CHAP/);
  assert.match(problemsOf({ engine: 'builtin', authentication: ['chap-md5'] })[0] ?? '', /MS-CHAP/);
  assert.deepEqual(problemsOf({ engine: 'builtin', authentication: ['chap-md5'], encryption: 'prefer' }), []);
  assert.deepEqual(problemsOf({ engine: 'pppd', authentication: ['pap'] }), []);
});

test('what pppd cannot do is refused where pppd is named', () => {
  assert.match(problemsOf({ engine: 'pppd', encryption: 'prefer' })[0] ?? '', /pppd can only require encryption/);
  assert.match(problemsOf({ engine: 'pppd', encryptionKeys: [128, 56] })[0] ?? '', /pppd does not know/);
  assert.deepEqual(problemsOf({ engine: 'builtin', encryptionKeys: [56] }), []);
});
