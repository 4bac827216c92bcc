/**
 * A user whose address is not the lease's, for example from chap-secrets: the address that PPP agreed is shown, accounted
 * and reserved, and the lease's address, which is not used, is lent to the next client.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { parseRecord } from '../../src/accounting/record.js';
import type { SessionState } from '../../src/session/state.js';
import { GreHub } from '../soak/gre-hub.js';
import { Visitor } from '../soak/visitor.js';
import { Client, START } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { Running } from './support/running.js';
import { CLIENT_ADDRESSES, endWith, Server, SERVER_ADDRESS, TUNNEL_LOCAL } from './support/server.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const [ALICES, BOBS, CAROLS] = CLIENT_ADDRESSES;
/** The pool. alice has the second address, which the second client would otherwise get. */
const [FIRST, FIXED, THIRD] = ['203.0.113.10', '203.0.113.11', '203.0.113.12'] as const;
const hub = new GreHub(SERVER_ADDRESS, '198.51.100.0', 24);
after(() => hub.close());

async function serve(t: TestContext): Promise<Server> {
  const server = new Server();
  server.configure(
    {
      addresses: { remote: `${FIRST}-12` },
      accounting: { file: join(server.directory, 'accounting.jsonl'), interim: 0 },
    },
    ['login', `fixed=alice:${FIXED}`],
  );
  endWith(t, server);
  server.start();
  await server.ready();
  return server;
}

async function called(t: TestContext, user: string, address: string): Promise<Visitor> {
  const attempt = { address, begun: 0, session: 'no', user: null, ending: '', reasons: null } as const;
  const visitor = new Visitor({ hub, attempt: { ...attempt }, user });
  t.after(() => visitor.close());
  await visitor.connect();
  await visitor.start();
  await visitor.call();
  return visitor;
}

/** The client's session, once it is up. */
async function sessionOf(server: Server, user: string): Promise<SessionState> {
  return until(`the session of ${user}`, async () =>
    (await server.sessions()).find((state) => state.user === user && state.phase === 'up'),
  );
}

/** Connects a client, and finds its session by the tunnel address once it is up. */
async function loggedIn(t: TestContext, server: Server, user: string, from: string): Promise<Visitor> {
  const visitor = await called(t, user, from);
  await visitor.logIn();
  const { tunnel } = await sessionOf(server, user);
  assert.deepEqual(tunnel, { local: TUNNEL_LOCAL, remote: visitor.ppp.address });
  return visitor;
}

async function isRefused(from: string): Promise<void> {
  const client = await Client.connect(from);
  client.send(START);
  const { resultCode, errorCode } = await client.next('StartControlConnectionReply');
  assert.deepEqual([resultCode, errorCode], [2, 4]);
}

async function restart(server: Server): Promise<void> {
  server.signal('SIGKILL');
  await server.exited();
  server.start();
  await server.ready();
}

for (const [when, between] of [
  ['', async () => undefined],
  [', also after a restart of the manager', restart],
] as const) {
  test(`a user’s fixed address is lent to nobody else, but the unused lease’s address is${when}`, async (t) => {
    const server = await serve(t);
    const alice = await loggedIn(t, server, 'alice', ALICES);
    assert.equal(alice.ppp.address, FIXED);
    await server.waitForPhases({ up: 1 });
    await between(server);
    const others = [await loggedIn(t, server, 'bob', BOBS), await loggedIn(t, server, 'carol', CAROLS)];
    assert.deepEqual(new Set(others.map(({ ppp }) => ppp.address)), new Set([FIRST, THIRD]));
    await isRefused(ALICES);
    alice.client.send({ type: 'StopControlConnectionRequest', reason: 1 });
    await server.waitForPhases({ up: 2 });
    assert.equal((await loggedIn(t, server, 'dave', ALICES)).ppp.address, FIXED);
  });
}

test('kick, watch and the accounting use the agreed address', async (t) => {
  const server = await serve(t);
  await loggedIn(t, server, 'alice', ALICES);
  const { session } = await sessionOf(server, 'alice');
  const unused = new Running(server, 'kick', FIRST);
  assert.equal(await unused.ended(), 1, unused.output);
  const kick = new Running(server, 'kick', FIXED);
  assert.equal(await kick.ended(), 0, kick.words);
  assert.equal(kick.output, `session ${session} (alice, ${ALICES}) has ended\n`);
  const ended = new Running(server, 'sessions', '--ended', '--json');
  assert.equal(await ended.ended(), 0, ended.words);
  assert.match(ended.output, new RegExp(FIXED.replaceAll('.', '\\.')));
  assert(!ended.output.includes(FIRST), ended.output);
});

test('a cleared call is accounted under its address, and its session has the lease’s address again', async (t) => {
  const server = await serve(t);
  const alice = await loggedIn(t, server, 'alice', ALICES);
  alice.client.send({ type: 'CallClearRequest', callId: alice.callId });
  await alice.client.next('CallDisconnectNotify');
  const [state] = await server.sessions();
  assert.deepEqual([state?.phase, state?.tunnel.remote], ['connected', FIRST]);
  await server.waitForPhases({ connected: 1 });
  const others = [await loggedIn(t, server, 'bob', BOBS), await loggedIn(t, server, 'carol', CAROLS)];
  assert.deepEqual(new Set(others.map(({ ppp }) => ppp.address)), new Set([FIXED, THIRD]));
  alice.client.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await server.waitForLog('its end', ({ msg, peer }) => peer === alice.client.name && msg.startsWith('session ended'));
  await server.waitForSessions(2);
  const [line = ''] = readFileSync(join(server.directory, 'accounting.jsonl'), 'utf8').split('\n');
  const record = parseRecord(line);
  assert.deepEqual([record?.user, record?.tunnel.remote], ['alice', FIXED]);
});

test('two sessions with the same address are named in a warning, and both stay', async (t) => {
  const server = await serve(t);
  const others = [await called(t, 'bob', BOBS), await called(t, 'carol', CAROLS)] as const;
  // One of the two leases was alice's address.
  for (const other of others) await other.logIn();
  const bob = await sessionOf(server, others[0].ppp.address === FIXED ? 'bob' : 'carol');
  const alice = await loggedIn(t, server, 'alice', ALICES);
  const { session } = await sessionOf(server, 'alice');
  const { level, msg, ...line } = await server.waitForLog('the warning', ({ address }) => address === FIXED);
  assert.equal(level, 'warn');
  assert.deepEqual(
    [line['session'], line['user'], line['otherSession'], line['otherUser']],
    [session, 'alice', bob.session, bob.user],
  );
  assert.match(msg, new RegExp(`^sessions ${bob.session} \\("${bob.user}"\\) and ${session} \\("alice"\\) `));
  for (const visitor of [...others, alice]) await visitor.echo();
  // Only the address of alice's unused lease is free.
  assert.deepEqual(
    [(await loggedIn(t, server, 'dave', ALICES)).ppp.address, await isRefused(ALICES)],
    [THIRD, undefined],
  );
});
