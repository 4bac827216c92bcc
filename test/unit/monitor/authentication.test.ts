import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { judge, mayUse } from '../../../src/monitor/authentication.js';
import type { MonitorSettings } from '../../../src/monitor/protocol.js';
import { NOTHING_USED, type UsedOctets } from '../../../src/users/quota.js';
import { UserAccounts } from '../../../src/monitor/user-accounts.js';
import type { Login } from '../../../src/monitor/verifier.js';
import { responseMd5 } from '../../../src/mschap/chap-md5.js';
import { responseV1 } from '../../../src/mschap/ms-chap-v1.js';
import { responseV2 } from '../../../src/mschap/ms-chap-v2.js';
import { ntHash } from '../../../src/mschap/password-hash.js';
import { hashOf, type User } from '../../../src/users/user.js';
import { usersOf } from '../../../src/users/users-file.js';
import { writeUsers } from '../../../src/users/users-text.js';

const REMOTE = '203.0.113.10';
const RETRY = '07'.repeat(16);
const usage = { use: () => undefined, used: () => NOTHING_USED };
const SILENT = pino({ level: 'silent' });

function settingsWith(t: TestContext, secrets: string): MonitorSettings {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-secrets-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'chap-secrets');
  writeFileSync(join(folder, 'password'), 'from-a-file\n');
  writeFileSync(path, secrets.replaceAll('FOLDER', folder));
  return {
    secrets: path,
    accounts: join(folder, 'accounts.json'),
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
) =>
  (await judge(login, { settings, users: new UserAccounts(SILENT), usage, remote, unit, retryChallenge: RETRY }))
    .verdict;

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
        const retryChallenge = method.startsWith('ms-chap') ? RETRY : null;
        assert.deepEqual(verdict, { accepted: false, code: 691, retryChallenge, message: 'Access denied' });
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
      (
        await judge(LOGINS.pap(name, 'x'), {
          settings,
          users: new UserAccounts(SILENT),
          usage,
          remote,
          unit: 0,
          retryChallenge: null,
        })
      ).grant ?? assert.fail(name);
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

describe('the accounts file', () => {
  const alice: User = { name: 'alice', ntHash: hashOf('wonderland') };

  /** With a secrets file too; null: there is no accounts file. */
  function accountsWith(t: TestContext, accounts: readonly User[] | string | null, secrets = 'bob * builder *\n') {
    const settings = settingsWith(t, secrets);
    const logged: string[] = [];
    const users = new UserAccounts(pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }));
    let inode = 0;
    const write = (next: readonly User[] | string | null): void => {
      // A new file each time, as an editor makes it: two versions within one tick of the clock differ, too.
      inode += 1;
      const draft = `${settings.accounts}.${inode}`;
      if (next === null) rmSync(settings.accounts);
      else {
        writeFileSync(draft, typeof next === 'string' ? next : writeUsers(next), { mode: 0o600 });
        renameSync(draft, settings.accounts);
      }
    };
    if (accounts !== null) write(accounts);
    const tell = async (login: Login, remote: string | null = REMOTE, usedUp: UsedOctets = NOTHING_USED) =>
      judge(login, {
        settings,
        users,
        usage: { ...usage, used: () => usedUp },
        remote,
        unit: 0,
        retryChallenge: RETRY,
      });
    const accepts = async (name: string, password: string, method: Login['method'] = 'ms-chap-v2') =>
      (await tell(LOGINS[method](name, password))).verdict.accepted;
    return { settings, write, tell, accepts, logged };
  }

  for (const method of ['ms-chap-v2', 'ms-chap', 'pap'] as const)
    test(`${method} by the NT hash`, async (t) => {
      const { tell } = accountsWith(t, [alice]);
      const { verdict, grant } = await tell(LOGINS[method]('alice', 'wonderland'));
      assert(verdict.accepted);
      assert.equal(verdict.keys !== null, method !== 'pap');
      assert.deepEqual(verdict.limits, { account: 'alice', sessions: null, sessionTime: null, idleTime: null });
      assert.equal(grant?.account, 'alice');
      for (const [name, password] of [
        ['alice', 'Wonderland'],
        ['Alice', 'wonderland'],
        ['alice', alice.ntHash],
        ['mallory', 'wonderland'],
      ] as const) {
        const refused = await tell(LOGINS[method](name, password));
        assert.deepEqual(refused.verdict, {
          accepted: false,
          code: 691,
          retryChallenge: method === 'pap' ? null : RETRY,
          message: 'Access denied',
        });
      }
    });

  test('CHAP-MD5 needs the password, and the log says so', async (t) => {
    const { tell, write } = accountsWith(t, [alice]);
    const refused = await tell(LOGINS['chap-md5']('alice', 'wonderland'));
    assert(!refused.verdict.accepted);
    assert.match(refused.notes.join(), /users passwd --store-password/);
    write([{ ...alice, password: 'wonderland' }]);
    assert((await tell(LOGINS['chap-md5']('alice', 'wonderland'))).verdict.accepted);
    const wrong = await tell(LOGINS['chap-md5']('alice', 'x'));
    assert.deepEqual([wrong.verdict.accepted, wrong.notes], [false, []]);
  });

  test('a quota that is used up refuses the right password, and says nothing to a wrong one', async (t) => {
    const { tell, write } = accountsWith(t, [{ ...alice, quota: { octets: 100, per: 'total' } }]);
    const used = new Map([['total', 100]]);
    const refusal = { accepted: false, code: 649, retryChallenge: null, message: 'Quota used up' };
    assert.deepEqual((await tell(LOGINS.pap('alice', 'wonderland'), REMOTE, used)).verdict, refusal);
    const wrong = (await tell(LOGINS.pap('alice', 'x'), REMOTE, used)).verdict;
    assert.equal(!wrong.accepted && wrong.code, 691);
    assert((await tell(LOGINS.pap('alice', 'wonderland'), REMOTE, new Map([['total', 99]]))).verdict.accepted);
    write([{ ...alice, quota: { octets: 101, per: 'total' } }]);
    assert((await tell(LOGINS.pap('alice', 'wonderland'), REMOTE, used)).verdict.accepted);
  });

  test('the verdict has no hash', async (t) => {
    const { tell } = accountsWith(t, [{ ...alice, password: 'wonderland', note: 'a note' }]);
    const text = JSON.stringify((await tell(LOGINS['ms-chap-v2']('alice', 'wonderland'))).verdict);
    for (const secret of [alice.ntHash, 'wonderland', 'a note']) assert(!text.includes(secret), text);
  });

  test('address and limits', async (t) => {
    const limits = { sessions: 2, sessionTime: 60, idleTime: 0 };
    const { tell } = accountsWith(t, [{ ...alice, ...limits, address: '203.0.113.77' }]);
    for (const lease of [REMOTE, null]) {
      const { verdict } = await tell(LOGINS.pap('alice', 'wonderland'), lease);
      assert(verdict.accepted);
      assert.equal(verdict.remote, '203.0.113.77');
      assert.deepEqual(verdict.limits, { account: 'alice', ...limits });
    }
  });

  test('who is disabled or expired is told so after the right password only', async (t) => {
    const { tell, write } = accountsWith(t, [{ ...alice, disabled: true }]);
    const refusals: [password: string, code: number, message: string][] = [
      ['wonderland', 647, 'Account disabled'],
      ['x', 691, 'Access denied'],
    ];
    for (const [password, code, message] of refusals) {
      const { verdict, grant } = await tell(LOGINS['ms-chap-v2']('alice', password));
      assert.deepEqual(verdict, { accepted: false, code, retryChallenge: code === 691 ? RETRY : null, message });
      assert.equal(grant, null);
    }
    write([{ ...alice, expires: '2001-01-01' }]);
    const { verdict } = await tell(LOGINS.pap('alice', 'wonderland'));
    assert(!verdict.accepted);
    assert.equal(verdict.message, 'Account expired');
  });

  test('beside it the secrets file counts, but not for a name of the accounts file', async (t) => {
    const secrets = 'bob * builder *\nalice * old *\n* * common *\n';
    const { accepts, write } = accountsWith(t, null, secrets);
    assert.deepEqual([await accepts('bob', 'builder'), await accepts('alice', 'old')], [true, true]);
    write([{ ...alice, disabled: true }]);
    assert.deepEqual([await accepts('bob', 'builder'), await accepts('carol', 'common')], [true, true]);
    for (const password of ['old', 'common', 'wonderland']) assert.equal(await accepts('alice', password), false);
  });

  test('without a secrets file', async (t) => {
    const { settings, accepts, write } = accountsWith(t, [alice]);
    rmSync(settings.secrets);
    assert.equal(await accepts('alice', 'wonderland'), true);
    assert.equal(await accepts('bob', 'builder'), false);
    write('{"accounts": []}');
    assert.equal(await accepts('alice', 'wonderland'), false);
  });

  test('a file with a mistake: its last right version stays in force, and the log names line and field', async (t) => {
    const { accepts, write, logged } = accountsWith(t, [alice, { ...alice, name: 'carol', disabled: true }]);
    assert.equal(await accepts('alice', 'wonderland'), true);
    for (const broken of [writeUsers([{ ...alice, sessions: -1 }]), '', null]) {
      write(broken);
      assert.equal(await accepts('alice', 'wonderland'), true);
      assert.equal(await accepts('carol', 'wonderland'), false);
    }
    const errors = logged.filter((line) => line.includes('cannot be used'));
    assert.equal(errors.length, 3, 'each version once');
    assert.match(errors[0] ?? '', /accounts\.json:6: accounts\[0\]\.sessions: -1 is not allowed/);
    write([{ ...alice, ntHash: hashOf('new') }]);
    assert.deepEqual([await accepts('alice', 'new'), await accepts('alice', 'wonderland')], [true, false]);
  });

  test('without an address of its own, or one in the lease, the client cannot choose any', async (t) => {
    const { tell } = accountsWith(t, [alice]);
    const { verdict, grant } = await tell(LOGINS['ms-chap-v2']('alice', 'wonderland'), null);
    assert(verdict.accepted && grant !== null);
    assert.deepEqual([verdict.remote, verdict.remoteChoices], [null, []]);
    assert.equal(mayUse(grant, null, '192.0.2.53'), false);
  });

  test('with a mistake from the beginning nobody can log in', async (t) => {
    const { accepts, write } = accountsWith(t, '{"accounts": [{}, {}]}');
    // The first of the mistakes, in one line.
    await assert.rejects(
      accepts('bob', 'builder'),
      /^Error: cannot use .*accounts\.json:1: accounts\[0\]\.name.*: EINVAL$/,
    );
    write([]);
    assert.equal(await accepts('bob', 'builder'), true);
  });

  test('a duration begins with the first login, which is written down', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2027-01-01T00:00:00Z') });
    const { settings, accepts } = accountsWith(t, [
      { ...alice, expiresAfter: 3600 },
      { ...alice, name: 'carol' },
    ]);
    const saved = () => usersOf(settings.accounts, readFileSync(settings.accounts, 'utf8'))[0]?.firstLogin;
    assert.equal(await accepts('alice', 'wrong'), false);
    assert.equal(saved(), undefined);
    assert.equal(await accepts('alice', 'wonderland'), true);
    assert.equal(saved(), '2027-01-01T00:00:00.000Z');
    t.mock.timers.tick(3_599_000);
    assert.equal(await accepts('alice', 'wonderland'), true);
    t.mock.timers.tick(1000);
    assert.equal(await accepts('alice', 'wonderland'), false);
    assert.equal(saved(), '2027-01-01T00:00:00.000Z');
    assert.equal(await accepts('carol', 'wonderland'), true);
  });
});
