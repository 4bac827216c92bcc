/**
 * Clients that are turned away before they have a session: a full server says so in the protocol's own words, and each
 * of the others has its line in the log.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { SessionState } from '../../src/session/state.js';
import { CALL, Client, START } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, type Server, SERVER_ADDRESS, type Settings, startServer } from './support/server.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const [HERE, THERE] = CLIENT_ADDRESSES;

/** Connects and asks to start: the reply's result and error, or null when the server just closes. */
async function askToStart(from?: string): Promise<{ client: Client; answer: readonly [number, number] | null }> {
  const client = await Client.connect(from);
  client.send(START);
  await Promise.race([client.whenClosed, client.messages.find('an answer', () => true)]);
  const [reply] = client.messages.all;
  if (reply?.type !== 'StartControlConnectionReply') return { client, answer: null };
  return { client, answer: [reply.resultCode, reply.errorCode] };
}

describe('a full server answers with result 2, error 4, and lets the next in when one has left', () => {
  const full: Readonly<Record<string, Settings>> = {
    'no address is left': { addresses: { remote: '203.0.113.10-11' } },
    'limits.connections is reached': { limits: { connections: 2 } },
  };
  for (const [why, settings] of Object.entries(full)) {
    test(why, async (t) => {
      const server = await startServer(t, settings);
      const { client: first } = await Client.call();
      await Client.call();
      const third = await askToStart();
      assert.deepEqual(third.answer, [2, 4]);
      await third.client.closed;
      const line = await server.waitForLog('the refusal', ({ cause }) => cause === 'full');
      assert.equal(line.peer, third.client.name);
      assert.match(line.msg, /addresses\.remote is 203\.0\.113\.10-\d+, limits\.connections \d+/);
      first.end();
      await first.closed;
      await until('a place to be free', async () => {
        const { client, answer } = await askToStart();
        if (answer?.[0] === 1) return true;
        assert.deepEqual(answer, [2, 4]);
        await client.closed;
        return false;
      });
      assert.equal((await server.sessions()).length, 2);
    });
  }
});

describe('a client that comes when everything is lent and a session is just ending gets the address of that one', () => {
  /** The only address, and a pppd that takes its time to end: until the test ends it. */
  const settings = { addresses: { remote: '203.0.113.10' }, timeouts: { pppdExit: 600 } } as const;
  const serve = async (t: TestContext): Promise<{ server: Server; first: Client; session: SessionState }> => {
    const server = await startServer(t, settings, 'ignore');
    const { client: first } = await Client.call();
    const session = await until('its pppd', async () =>
      (await server.sessions()).find(({ pppdPid }) => pppdPid !== null),
    );
    return { server, first, session };
  };
  const endPppd = ({ pppdPid }: SessionState): void => {
    assert(pppdPid !== null);
    process.kill(pppdPid, 'SIGKILL');
  };
  /** A client that has asked to start; the manager has seen that. */
  const comes = async (): Promise<Client> => {
    const client = await Client.connect(THERE);
    client.send(START);
    // When a later one was turned away, the manager knows of what came before.
    const stranger = await Client.connect(THERE);
    stranger.sendBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await stranger.closed;
    return client;
  };

  test('its client has left', async (t) => {
    const { server, first, session } = await serve(t);
    first.send({ type: 'StopControlConnectionRequest', reason: 1 });
    await server.waitForPhases({ ending: 1 });
    const waiting = await comes();
    endPppd(session);
    assert.equal((await waiting.next('StartControlConnectionReply')).resultCode, 1);
    assert.equal((await server.sessions())[0]?.tunnel.remote, session.tunnel.remote);
  });

  test('its worker has died', async (t) => {
    const { server, session } = await serve(t);
    process.kill(session.pid, 'SIGKILL');
    await server.waitForLog('the death', ({ msg }) => msg.startsWith('a ctrl worker died'));
    const waiting = await comes();
    endPppd(session);
    assert.equal((await waiting.next('StartControlConnectionReply')).resultCode, 1);
  });

  test('of two that wait one is refused when the other has got it and has called', async (t) => {
    const { server, first, session } = await serve(t);
    first.send({ type: 'StopControlConnectionRequest', reason: 1 });
    await server.waitForPhases({ ending: 1 });
    const [early, late] = [await comes(), await comes()];
    endPppd(session);
    assert.equal((await late.next('StartControlConnectionReply')).resultCode, 1);
    late.send(CALL);
    const { resultCode, errorCode } = await early.next('StartControlConnectionReply');
    assert.deepEqual([resultCode, errorCode], [2, 4]);
    await server.waitForLog('the refusal', ({ cause, peer }) => cause === 'full' && peer === early.name);
    endPppd(await until('its pppd', async () => (await server.sessions()).find(({ pppdPid }) => pppdPid !== null)));
  });
});

test('an address with limits.perSource connections gets no more, others do', async (t) => {
  const server = await startServer(t, { limits: { perSource: 1 } });
  await Client.start(HERE);
  const { client, answer } = await askToStart(HERE);
  assert.equal(answer, null);
  const line = await server.waitForLog('the refusal', ({ cause }) => cause === 'perSource');
  assert.equal(line.peer, client.name);
  await Client.start(THERE);
});

test('limits.perSource counts those who are on their way to a worker', async (t) => {
  const server = await startServer(t, { limits: { perSource: 1 }, workers: { spare: 0 } });
  const stopped = server.strikeWorker('stoppedOnceReady');
  const first = await Client.connect(HERE);
  first.send(START);
  const worker = await stopped;
  const { client, answer } = await askToStart(HERE);
  assert.equal(answer, null);
  const line = await server.waitForLog('the refusal', ({ cause }) => cause === 'perSource');
  assert.equal(line.peer, client.name);
  process.kill(worker, 'SIGCONT');
  assert.equal((await first.next('StartControlConnectionReply')).resultCode, 1);
});

test('limits.perSource counts those who wait for a place, and one that leaves has none any more', async (t) => {
  const server = await startServer(t, { limits: { connections: 1, perSource: 1 } });
  await Client.start(THERE);
  const waiting = await Client.connect(HERE);
  waiting.send(START);
  await waiting.delivered();
  const { client, answer } = await askToStart(HERE);
  assert.equal(answer, null);
  const line = await server.waitForLog('the refusal', ({ cause }) => cause === 'perSource');
  assert.equal(line.peer, client.name);
  waiting.reset();
  const left = await server.waitForLog('the one that left', ({ cause }) => cause === 'left');
  assert.equal(left.peer, waiting.name);
  // The one that has the only place makes room for the next.
  assert.deepEqual((await askToStart(HERE)).answer, [1, 0]);
});

for (const [how, leave] of [
  ['says no more', (client: Client) => client.end()],
  ['is gone without a word', (client: Client) => client.reset()],
] as const) {
  test(`a client that ${how} while it waits for a worker gets none, and the next one gets that worker`, async (t) => {
    const server = await startServer(t, { workers: { spare: 0 } });
    const stopped = server.strikeWorker('stoppedBeforeReady');
    const leaver = await Client.connect(HERE);
    leaver.send(START);
    const worker = await stopped;
    leave(leaver);
    // When a later one was turned away, the manager knows of what came before.
    const stranger = await Client.connect(THERE);
    stranger.sendBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await stranger.closed;
    process.kill(worker, 'SIGCONT');
    const line = await server.waitForLog('the one that left', ({ cause }) => cause === 'left');
    assert.equal(line.peer, leaver.name);
    await Client.start(THERE);
    assert.deepEqual(
      (await server.sessions()).map(({ pid, peer }) => [pid, peer.address]),
      [[worker, THERE]],
    );
  });
}

test('access.deny and access.allow: the longest prefix decides', async (t) => {
  const server = await startServer(t, { access: { deny: ['198.51.100.0/24'], allow: [`${THERE}/32`] } });
  const { client, answer } = await askToStart(HERE);
  assert.equal(answer, null);
  const line = await server.waitForLog('the refusal', ({ cause }) => cause === 'accessDenied');
  assert.equal(line.peer, client.name);
  await Client.start(THERE);
});

test('silent connections beyond limits.pending make room, the oldest first', async (t) => {
  const server = await startServer(t, { limits: { pending: 2 } });
  const oldest = await Client.connect();
  const silent = await Client.connect();
  const talker = await Client.start();
  await oldest.closed;
  const line = await server.waitForLog('the eviction', ({ cause }) => cause === 'evicted');
  assert.equal(line.peer, oldest.name);
  await talker.echo();
  silent.send(START);
  assert.equal((await silent.next('StartControlConnectionReply')).resultCode, 1);
});

test('a flood of one kind is one line in the log, and the rest counted', async (t) => {
  const server = await startServer(t);
  const strangers = await Promise.all(Array.from({ length: 30 }, async () => Client.connect()));
  for (const stranger of strangers) stranger.sendBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  for (const stranger of strangers) await stranger.closed;
  await (await Client.start()).echo();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  await server.waitForLog('the others', ({ cause, count }) => cause === 'notPptp' && count !== undefined);
  const lines = server.log.all.filter(({ cause }) => cause === 'notPptp');
  assert.deepEqual(
    lines.map(({ count = 1 }) => count),
    [1, 29],
  );
});
