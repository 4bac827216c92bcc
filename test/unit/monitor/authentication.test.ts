import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { judge, mayUse } from '../../../src/monitor/authentication.js';
import type { MonitorSettings } from '../../../src/monitor/protocol.js';
import type { Login } from '../../../src/monitor/verifier.js';
import { responseMd5 } from '../../../src/mschap/chap-md5.js';
import { responseV1 } from '../../../src/mschap/ms-chap-v1.js';
import { responseV2 } from '../../../src/mschap/ms-chap-v2.js';
import { ntHash } from '../../../src/mschap/password-hash.js';

const REMOTE = '203.0.113.10';

function settingsWith(t: TestContext, secrets: string): MonitorSettings {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-secrets-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'chap-secrets');
  writeFileSync(join(folder, 'password'), 'from-a-file\n');
  writeFileSync(path, secrets.replaceAll('FOLDER', folder));
  return {
    secrets: path,
    name: 'pptpd',
    stripDomain: false,
    authentication: ['ms-chap-v2', 'ms-chap', 'chap-md5', 'pap'],
    proxyArp: false,
    vrf: null,
  };
}

const challenge = Buffer.alloc(16, 3);
const nameOf = (name: string | Buffer): Buffer => (typeof name === 'string' ? Buffer.from(name) : name);

const LOGINS: Readonly<Record<Login['method'], (name: string | Buffer, password: string) => Login>> = {
  'ms-chap-v2': (name, password) => ({
    method: 'ms-chap-v2',
    name: nameOf(name),
    challenge,
    identifier: 1,
    response: responseV2({
      ntHash: ntHash(password),
      name: nameOf(name),
      challenge,
      clientChallenge: Buffer.alloc(16, 4),
    }),
  }),
  'ms-chap': (name, password) => ({
    method: 'ms-chap',
    name: nameOf(name),
    challenge: challenge.subarray(0, 8),
    identifier: 1,
    response: responseV1(ntHash(password), challenge.subarray(0, 8)),
  }),
  'chap-md5': (name, password) => ({
    method: 'chap-md5',
    name: nameOf(name),
    challenge,
    identifier: 9,
    response: responseMd5({ identifier: 9, secret: Buffer.from(password), challenge }),
  }),
  pap: (name, password) => ({
    method: 'pap',
    name: nameOf(name),
    challenge: Buffer.alloc(0),
    identifier: 1,
    response: Buffer.from(password),
  }),
};

const METHODS = ['ms-chap-v2', 'ms-chap', 'chap-md5', 'pap'] as const;

const judged = async (
  settings: MonitorSettings,
  login: Login,
  { remote = REMOTE, unit = 0 }: { remote?: string | null; unit?: number | null } = {},
) => (await judge(login, { settings, remote, unit, mayRetry: true })).verdict;

describe('each method', () => {
  for (const method of METHODS)
    test(method, async (t) => {
      const settings = settingsWith(t, 'alice pptpd wonderland *\n');
      const right = await judged(settings, LOGINS[method]('alice', 'wonderland'));
      assert(right.accepted);
      assert.equal(right.keys !== null, method.startsWith('ms-chap'));
      assert.equal(right.message.startsWith('S='), method === 'ms-chap-v2');
      for (const [name, password] of [
        ['alice', 'Wonderland'],
        ['mallory', 'wonderland'],
        ['alice', ''],
      ] as const) {
        const verdict = await judged(settings, LOGINS[method](name, password));
        const retry = method.startsWith('ms-chap');
        assert.deepEqual(verdict, { accepted: false, code: 691, retry, message: 'Access denied' });
      }
    });
});

/** Name and password of the client, by the lines of the file; whether it gets in. */
const lines: [secrets: string, name: string | Buffer, password: string, accepted: boolean][] = [
  ['alice * wonderland *', 'alice', 'wonderland', true],
  ['alice other wonderland *', 'alice', 'wonderland', false],
  ['* * common *', 'anybody', 'common', true],
  ['* * common *\nalice * own *', 'alice', 'common', false],
  ['* * common *\nalice * own *', 'alice', 'own', true],
  ['"two words" * "pass word" *', 'two words', 'pass word', true],
  ['DOM\\\\alice * wonderland *', 'DOM\\alice', 'wonderland', true],
  ['alice * wonderland *', 'DOM\\alice', 'wonderland', false],
  ['jürgen * grün *', 'jürgen', 'grün', false],
  ['jM-CM-\\<rgen * grün *', 'jürgen', 'grün', true],
  ['alice * @FOLDER/password *', 'alice', 'from-a-file', true],
  ['alice * @FOLDER/missing *', 'alice', 'from-a-file', false],
  ['# alice * wonderland *', 'alice', 'wonderland', false],
  ['alice *', 'alice', '', false],
  ['', 'alice', '', false],
];

describe('secrets as pppd reads them', () => {
  for (const [secrets, name, password, accepted] of lines)
    test(`${secrets} | ${String(name)}`, async (t) => {
      const verdict = await judged(settingsWith(t, `${secrets}\n`), LOGINS['ms-chap-v2'](name, password));
      assert.equal(verdict.accepted, accepted);
    });

  test('without the domain, where the configuration says so', async (t) => {
    const settings = { ...settingsWith(t, 'alice * wonderland *\n'), stripDomain: true };
    assert((await judged(settings, LOGINS['ms-chap-v2']('DOM\\alice', 'wonderland'))).accepted);
  });

  test('a file that is missing', async (t) => {
    const settings = { ...settingsWith(t, ''), secrets: '/nonexistent/chap-secrets' };
    await assert.rejects(judged(settings, LOGINS.pap('alice', 'x')), {
      step: 'read /nonexistent/chap-secrets',
      code: 'ENOENT',
    });
  });
});

/** The address column; what a client gets that is lent REMOTE, or nothing. */
const columns: [column: string, lease: string | null, remote: string | null, choices: string[]][] = [
  ['*', REMOTE, REMOTE, []],
  ['203.0.113.77', REMOTE, '203.0.113.77', []],
  ['203.0.113.0/24', REMOTE, REMOTE, []],
  ['192.0.2.0/24', REMOTE, null, []],
  ['', REMOTE, null, []],
  ['-', REMOTE, null, []],
  [`!${REMOTE} *`, REMOTE, null, []],
  ['203.0.113.77', null, '203.0.113.77', []],
  ['192.0.2.0/24 198.51.100.0/25', null, null, ['192.0.2.0/24', '198.51.100.0/25']],
  ['*', null, null, ['0.0.0.0/0']],
  ['192.0.2.0/24+', REMOTE, '192.0.2.5', []],
  ['192.0.2.0/31+', REMOTE, null, []],
  ['localhost', REMOTE, null, []],
];

describe('addresses of the account', () => {
  for (const [column, lease, remote, choices] of columns)
    test(`"${column}" with ${lease ?? 'no lease'}`, async (t) => {
      const settings = settingsWith(t, `alice * wonderland ${column}\n`);
      const verdict = await judged(settings, LOGINS.pap('alice', 'wonderland'), { remote: lease, unit: 4 });
      assert(verdict.accepted);
      assert.deepEqual([verdict.remote, verdict.remoteChoices], [remote, choices]);
    });

  test('what a session may be configured with', async (t) => {
    const settings = settingsWith(t, 'alice * x 192.0.2.0/24\nbob * x *\n');
    const grantOf = async (name: string, remote: string | null) =>
      (await judge(LOGINS.pap(name, 'x'), { settings, remote, unit: 0, mayRetry: true })).grant ?? assert.fail(name);
    const choice = await grantOf('alice', null);
    assert.equal(mayUse(choice, null, '192.0.2.200'), true);
    assert.equal(mayUse(choice, null, '198.51.100.1'), false);
    assert.equal(mayUse(choice, null, 'nonsense'), false);
    const lent = await grantOf('bob', REMOTE);
    assert.equal(mayUse(lent, REMOTE, REMOTE), true);
    assert.equal(mayUse(lent, REMOTE, '203.0.113.11'), false);
    const nothing = await grantOf('alice', REMOTE);
    assert.equal(mayUse(nothing, REMOTE, '192.0.2.200'), false);
  });
});
