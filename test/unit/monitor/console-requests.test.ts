import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openConsoleRequests } from '../../../src/monitor/console-requests.js';
import type { UserPlace } from '../../../src/users/open-user-store.js';
import type { UserRequest } from '../../../src/users/user-requests.js';

function requestsIn(t: TestContext, kind: UserPlace['kind']) {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [accounts, secrets, users] = ['accounts.json', 'chap-secrets', 'console.json'].map((name) =>
    join(folder, name),
  );
  assert.ok(accounts !== undefined && secrets !== undefined && users !== undefined);
  writeFileSync(secrets, '# kept\ndave * "a secret" *\n', { mode: 0o600 });
  const requests = openConsoleRequests({
    listen: { address: '127.0.0.1', port: 1, names: [], proxies: [] },
    tls: null,
    users,
    gid: 1,
    configuration: join(folder, 'pptpd-ts.json'),
    accounting: null,
    userPlace:
      kind === 'accounts'
        ? { kind, file: accounts, secrets, server: 'pptpd' }
        : { kind, file: secrets, server: 'pptpd' },
  });
  return {
    accounts,
    secrets,
    users,
    ask: async (request: UserRequest | object) => requests.answer({ id: 7, ask: 'users', request }),
    answer: async (line: unknown) => requests.answer(line),
  };
}

test('users are added, changed and removed, and no answer has a secret', async (t) => {
  const { ask, accounts } = requestsIn(t, 'accounts');
  const alice = { op: 'add', name: 'alice', password: 'a secret', fields: { sessions: 2 } };
  const added = await ask(alice);
  assert.ok(added?.ok === true && added.id === 7);
  const twice = await ask(alice);
  assert.ok(twice?.ok === false && twice.kind === 'known');
  await ask({ op: 'set', name: 'alice', fields: { sessions: null, idleTime: 60 } });
  await ask({ op: 'setDisabled', name: 'alice', disabled: true });
  const listed = JSON.stringify(await ask({ op: 'list' }));
  assert.match(listed, /"name":"alice".*"hindrance":"disabled".*"sessions":null.*"idleTime":60/);
  assert.doesNotMatch(listed, /secret"|ntHash/);
  const shown = async (name: string): Promise<unknown> => {
    const answer = await ask({ op: 'show', name });
    assert.ok(answer?.ok === true);
    return (answer.result as { users: { name: string }[] }).users.map((user) => user.name);
  };
  assert.deepEqual([await shown('alice'), await shown('dave'), await shown('bob')], [['alice'], ['dave'], []]);
  const { accounts: kept } = JSON.parse(readFileSync(accounts, 'utf8')) as { accounts: { ntHash: string }[] };
  await ask({ op: 'setPassword', name: 'alice', password: 'another' });
  assert.notDeepEqual(JSON.parse(readFileSync(accounts, 'utf8')), { accounts: kept });
  assert.equal((await ask({ op: 'remove', name: 'alice' }))?.ok, true);
  const gone = await ask({ op: 'remove', name: 'alice' });
  assert.ok(gone?.ok === false && gone.kind === 'unknown');
});

test("pppd's users keep an address only, and other lines stay", async (t) => {
  const { ask, secrets } = requestsIn(t, 'secrets');
  const limited = await ask({ op: 'add', name: 'alice', password: 'x', fields: { sessions: 2 } });
  assert.ok(limited?.ok === false && limited.kind === 'refused');
  assert.equal((await ask({ op: 'add', name: 'alice', password: 'x', fields: { address: '192.0.2.7' } }))?.ok, true);
  assert.match(readFileSync(secrets, 'utf8'), /^# kept\ndave \* "a secret" \*\n.*alice/s);
});

const wrong: [what: string, request: object][] = [
  ['an unknown operation', { op: 'import' }],
  ['a field of another operation', { op: 'list', name: 'alice' }],
  ['a name with a control character', { op: 'remove', name: 'a\nb' }],
  ['a field that only the server writes', { op: 'set', name: 'alice', fields: { ntHash: '0'.repeat(32) } }],
  ['another file', { op: 'add', name: 'alice', password: 'x', fields: {}, file: '/etc/passwd' }],
  ['no operation', {}],
];
for (const [what, request] of wrong) {
  test(`${what} is refused as malformed`, async (t) => {
    const answer = await requestsIn(t, 'accounts').ask(request);
    assert.ok(answer?.ok === false && answer.kind === 'malformed');
  });
}

test('a user and a token of the console are found, and nobody else', async (t) => {
  const { answer, users } = requestsIn(t, 'accounts');
  const none = await answer({ id: 1, ask: 'consoleUser', name: 'boss' });
  assert.ok(none?.ok === true && none.result === null, 'without a file');
  const hash = 'ab'.repeat(32);
  const tokens = [{ name: 'monitoring', role: 'view', sha256: hash, created: '2026-11-28T10:00:00.000Z' }];
  writeFileSync(users, JSON.stringify({ users: [], tokens }), { mode: 0o600 });
  const token = await answer({ id: 2, ask: 'consoleToken', hash });
  assert.ok(token?.ok === true);
  assert.match(JSON.stringify(token.result), /"name":"monitoring"/);
  const other = await answer({ id: 3, ask: 'consoleToken', hash: 'cd'.repeat(32) });
  assert.ok(other?.ok === true && other.result === null);
  writeFileSync(users, '{"users": 1}');
  const broken = await answer({ id: 4, ask: 'consoleUser', name: 'boss' });
  assert.ok(broken?.ok === false && broken.kind === 'failed');
  assert.equal(await answer({ id: 5, ask: 'shell' }), null);
});
