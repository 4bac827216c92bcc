/** A ctrl worker serves one client after the other, when nothing of the last one is left; or only one, if told so. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, type Server, startServer } from './support/server.js';
import { Tunnel } from './support/tunnel.js';

const MAX_SESSIONS = 20;

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

/** A session that carries data, from beginning to end; returns its worker. */
async function session(t: TestContext, server: Server, from: string): Promise<number> {
  const tunnel = await Tunnel.open(t, from);
  await tunnel.openLcp();
  await tunnel.assertRelays(from);
  const [state] = await server.sessions();
  assert(state !== undefined);
  assert.equal(state.peer.address, from);
  const { client } = tunnel;
  client.end();
  await client.closed;
  await server.waitForSessions(0);
  return state.pid;
}

test('a worker whose session is over serves another client, as if it were the first', async (t) => {
  const server = await startServer(t, { workers: { spare: 2 } });
  const [first, second] = CLIENT_ADDRESSES;
  const served = new Set<number>();
  let again: number | undefined;
  // The next one does, unless the machine is so slow that the client comes before the worker is back.
  for (let count = 0; again === undefined && count < MAX_SESSIONS; count += 1) {
    const worker = await session(t, server, count % 2 === 0 ? first : second);
    if (served.has(worker)) again = worker;
    served.add(worker);
  }
  const lines = server.log.all.filter(({ pid, role }) => pid === again && role === 'ctrl');
  const sessions = new Set(lines.map(({ session: id, peer }) => `${id} ${peer}`));
  assert.equal(sessions.size, 2, 'each line names its own session and client');
});

test('with workers.sessions 1 each client has a process of its own', async (t) => {
  const server = await startServer(t, { workers: { spare: 2, sessions: 1 } });
  const workers = new Set<number>();
  for (const from of CLIENT_ADDRESSES) workers.add(await session(t, server, from));
  assert.equal(workers.size, CLIENT_ADDRESSES.length);
});
