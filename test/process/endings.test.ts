/**
 * Every way for a session to end, and every way for the manager to go: what the client hears, and that pppd, worker,
 * address and files are gone afterwards, or stay where they are to stay.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SessionClient } from '../../src/session/client.js';
import { CALL, Client, START } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, SERVER_ADDRESS, Server, startServer } from './support/server.js';
import { Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

/** One address: who gets it next shows that it was given back. */
const ONE = { addresses: { remote: '203.0.113.10' } } as const;

/** Calls as soon as the server has an address to lend. */
async function callWhenFree(): Promise<Client> {
  const free = await until('an address to be free', async () => {
    const client = await Client.connect();
    client.send(START);
    if ((await client.next('StartControlConnectionReply')).resultCode === 1) return client;
    await client.closed;
    return undefined;
  });
  free.send(CALL);
  assert.equal((await free.next('OutgoingCallReply')).resultCode, 1);
  return free;
}

describe('the client goes', () => {
  const ways = {
    'by closing its TCP connection': (client: Client) => client.end(),
    'by resetting its TCP connection': (client: Client) => client.reset(),
    'by Stop-Control-Connection-Request': (client: Client) =>
      client.send({ type: 'StopControlConnectionRequest', reason: 1 }),
  } as const;
  for (const [how, go] of Object.entries(ways)) {
    test(`${how}: pppd ends, the address is lent again`, async (t) => {
      const server = await startServer(t, ONE);
      const { client } = await Client.call();
      const { pid } = await server.waitForPppd('its start', ({ event }) => event === 'started');
      go(client);
      await client.closed;
      await server.waitForPppd('its end', (note) => note.pid === pid && note.event === 'ended');
      await callWhenFree();
    });
  }
});

test('an administrator ends a session by its socket: the client hears administrative shutdown', async (t) => {
  const server = await startServer(t);
  const { client, reply } = await Client.call();
  const [session] = await server.sessions();
  const socket = await SessionClient.connect(server.runDirectory, session?.session ?? '');
  const over = new Promise<void>((resolve) => (socket.onClose = () => resolve()));
  await socket.request('disconnect', { reason: 'kicked' });
  const notice = await client.next('CallDisconnectNotify');
  assert.deepEqual([notice.callId, notice.resultCode], [reply.callId, 3]);
  assert.equal((await client.next('StopControlConnectionRequest')).reason, 3);
  // Its closing says that all of it is gone.
  await over;
  assert.deepEqual(server.sessionFiles(), []);
  assert(server.pppdNotes().some(({ event }) => event === 'ended'));
});

describe('a worker is killed', () => {
  test('its client is closed, its pppd ended, its address lent again', async (t) => {
    const server = await startServer(t, { ...ONE, timeouts: { pppdExit: 0.2 } }, 'ignore');
    const { client } = await Client.call();
    const [session] = await server.sessions();
    assert(session !== undefined);
    process.kill(session.pid, 'SIGKILL');
    await client.closed;
    await server.waitForLog('the death', (line) => line.role === 'manager' && line.session === session.session);
    const next = await callWhenFree();
    const pppds = server.pppdNotes().filter(({ event }) => event === 'started');
    assert.equal(pppds.length, 2);
    assert.equal(session.pppdPid, pppds[0]?.pid);
    await until('the first pppd to be gone', () => !isRunning(pppds[0]?.pid ?? 0));
    await next.echo();
  });

  test('by an error of its own: the same', async (t) => {
    const server = await startServer(t, { ...ONE, workers: { spare: 0 } });
    const order = server.strikeWorker('failsWhenTold');
    const { client } = await Client.call();
    const { pid } = await server.waitForPppd('its start', ({ event }) => event === 'started');
    process.kill(await order, 'SIGUSR2');
    await client.closed;
    await server.waitForPppd('its end', (note) => note.pid === pid && note.event === 'ended');
    await (await callWhenFree()).echo();
    await until('its words', () => server.words.includes('an error that a test ordered'));
  });

  test('no other session notices', async (t) => {
    const server = await startServer(t);
    const { client: bystander } = await Client.call(CLIENT_ADDRESSES[1]);
    const { client } = await Client.call();
    const session = (await server.sessions()).find(({ peer }) => `${peer.address}:${peer.port}` === client.name);
    process.kill(session?.pid ?? 0, 'SIGKILL');
    await client.closed;
    await bystander.echo();
    await server.waitForSessions(1);
  });
});

function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the manager ends by TERM or INT', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal}: every client hears Call-Disconnect-Notify 3, then Stop reason 3, and it exits with 0`, async (t) => {
      const server = await startServer(t);
      const { client, reply } = await Client.call();
      const other = await Client.start(CLIENT_ADDRESSES[1]);
      server.signal(signal);
      const notice = await client.next('CallDisconnectNotify');
      assert.deepEqual([notice.callId, notice.resultCode], [reply.callId, 3]);
      for (const each of [client, other]) {
        assert.equal((await each.next('StopControlConnectionRequest')).reason, 3);
        await each.closed;
      }
      assert.deepEqual(await server.exited(), { code: 0, signal: null });
      await server.nothingLeft();
    });
  }

  test('a client that is just being handed over is not forgotten', async (t) => {
    const server = await startServer(t);
    const stopped = server.strikeWorker('stoppedAtHandoff');
    const client = await Client.connect();
    client.send(START);
    const worker = await stopped;
    server.signal('SIGTERM');
    await server.waitForLog('the manager to stop', ({ msg }) => msg.startsWith('stopping'));
    process.kill(worker, 'SIGCONT');
    assert.equal((await client.next('StartControlConnectionReply')).resultCode, 1);
    assert.equal((await client.next('StopControlConnectionRequest')).reason, 3);
    await client.closed;
    assert.deepEqual(await server.exited(), { code: 0, signal: null });
    await server.nothingLeft();
  });
});

/** Told to end, it ends in order, and so does the session's client. */
async function assertEnds(server: Server, client: Client): Promise<void> {
  server.signal('SIGTERM');
  await client.closed;
  assert.deepEqual(await server.exited(), { code: 0, signal: null });
  await server.nothingLeft();
}

test('a session that hangs does not keep the manager from ending', async (t) => {
  const server = await startServer(t, { timeouts: { pppdExit: 0.1 } }, 'ignore');
  const { client } = await Client.call();
  const [session] = await server.sessions();
  process.kill(session?.pid ?? 0, 'SIGSTOP');
  await assertEnds(server, client);
});

test('nor does one that hung before the manager came', async (t) => {
  const server = await startServer(t, { timeouts: { pppdExit: 0.1 } }, 'ignore');
  const { client } = await Client.call();
  const [session] = await server.sessions();
  process.kill(session?.pid ?? 0, 'SIGSTOP');
  server.signal('SIGKILL');
  await server.exited();
  server.start();
  await server.ready();
  await assertEnds(server, client);
});

test('nor does one whose socket somebody has removed, and it is cleared away', async (t) => {
  const server = await startServer(t, { timeouts: { pppdExit: 0.1 } }, 'ignore');
  const { client } = await Client.call();
  server.signal('SIGKILL');
  await server.exited();
  for (const name of server.sessionFiles('.sock')) rmSync(join(server.runDirectory, 'sessions', name));
  server.start();
  await server.ready();
  await assertEnds(server, client);
});

describe('the manager goes and the sessions stay', () => {
  const ways = ['SIGQUIT', 'SIGKILL'] as const;
  for (const signal of ways) {
    test(`${signal}: the session goes on, the next manager finds it, keeps its address and can end it`, async (t) => {
      const server = await startServer(t, ONE);
      const tunnel = await Tunnel.open(t);
      const { client, reply } = tunnel;
      await tunnel.openLcp();
      server.signal(signal);
      const { code } = await server.exited();
      assert.equal(code, signal === 'SIGQUIT' ? 0 : null);
      await client.echo();
      await tunnel.assertRelays('without a manager');
      const [before] = await server.sessions();
      assert.equal(before?.callId, reply.callId);

      server.start();
      await server.ready();
      await tunnel.assertRelays('with the next manager');
      const refused = await Client.connect(CLIENT_ADDRESSES[1]);
      refused.send(START);
      assert.equal((await refused.next('StartControlConnectionReply')).resultCode, 2);
      server.signal('SIGTERM');
      assert.equal((await client.next('CallDisconnectNotify')).resultCode, 3);
      await client.closed;
    });
  }

  test('a worker that is killed while there is no manager: the next one clears away what it held', async (t) => {
    const server = await startServer(t, { ...ONE, timeouts: { pppdExit: 0.2 } }, 'ignore');
    const { client } = await Client.call();
    const [session] = await server.sessions();
    server.signal('SIGKILL');
    await server.exited();
    process.kill(session?.pid ?? 0, 'SIGKILL');
    await client.closed;
    assert(isRunning(session?.pppdPid ?? 0));
    server.start();
    await server.ready();
    await until('the left-over pppd to be gone', () => !isRunning(session?.pppdPid ?? 0));
    await callWhenFree();
  });
});

describe('HUP', () => {
  test('with a good configuration: new clients get it, sessions keep what they have', async (t) => {
    const server = await startServer(t, ONE);
    const { client } = await Client.call();
    const line = await server.reconfigure({ addresses: { remote: '203.0.113.99' } });
    assert.equal(line.level, 'info');
    const later = await Client.start(CLIENT_ADDRESSES[1]);
    await Promise.all([client.echo(), later.echo()]);
    assert.deepEqual(remotes(await server.sessions()), new Set(['203.0.113.10', '203.0.113.99']));
  });

  test('with a bad configuration: every error is logged, the old one stays', async (t) => {
    const server = await startServer(t, ONE);
    const { client } = await Client.call();
    const line = await server.reconfigure({ addresses: { remote: '203.0.113.99-5' }, limits: { connections: -1 } });
    assert.equal(line.level, 'error');
    assert.match(JSON.stringify(line), /addresses\.remote.*limits\.connections/);
    await client.echo();
    client.send({ type: 'StopControlConnectionRequest', reason: 1 });
    await client.closed;
    await callWhenFree();
    assert.deepEqual(remotes(await server.sessions()), new Set(['203.0.113.10']));
  });

  test('opens the log files anew, the manager’s and every session’s', async (t) => {
    const server = new Server();
    const folder = join(server.directory, 'log');
    server.configure({ log: { directory: folder, level: 'debug' } });
    endWith(t, server);
    server.start();
    const managerLog = join(folder, 'manager.log');
    await until('the server to listen', () => contentOf(managerLog).includes('listening on'));
    const client = await Client.start();
    const [session] = await server.sessions();
    const sessionLog = join(folder, `session-${session?.session}.log`);
    for (const file of [managerLog, sessionLog]) renameSync(file, `${file}.1`);
    server.signal('SIGHUP');
    for (const file of [managerLog, sessionLog]) await until(`${file} to be there again`, () => existsSync(file));
    await client.echo();
    assert.match(contentOf(sessionLog), /EchoRequest/);
    assert.doesNotMatch(contentOf(`${sessionLog}.1`), /EchoRequest/);
  });
});

const contentOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

const remotes = (sessions: Awaited<ReturnType<Server['sessions']>>): Set<string | null> =>
  new Set(sessions.map(({ tunnel }) => tunnel.remote));
