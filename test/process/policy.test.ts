/** The configuration's `policy` with real logins: sessions of one user, addresses that fail too often, time limits. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test, type TestContext } from 'node:test';
import { SessionClient } from '../../src/session/client.js';
import { runPaths } from '../../src/session/paths.js';
import { Client } from './support/client.js';
import { type EngineUnderTest, forBothEngines, type Guest } from './support/engines.js';
import { GrePeer } from './support/gre-peer.js';
import { enterNamespace } from './support/netns.js';
import { Running } from './support/running.js';
import {
  CLIENT_ADDRESSES,
  type LogLine,
  type Server,
  SERVER_ADDRESS,
  type Settings,
  startServer,
} from './support/server.js';
import { parseFrame } from './support/tunnel.js';
import { ClientLogins } from './support/client-logins.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const [FIRST, SECOND, THIRD] = CLIENT_ADDRESSES;
const logins = new ClientLogins();
after(() => logins.close());

const serve = async (
  engine: EngineUnderTest,
  t: TestContext,
  policy: NonNullable<Settings['policy']>,
): Promise<Server> => engine.startServer(t, { policy });

const endOf = async (server: Server, { client }: Guest): Promise<LogLine> =>
  server.waitForLog('the end', ({ msg, peer }) => peer === client.name && msg.startsWith('session ended'));

async function restart(server: Server): Promise<void> {
  server.signal('SIGKILL');
  await server.exited();
  server.start();
  await server.ready();
}

async function output(server: Server, ...command: readonly string[]): Promise<string> {
  const running = new Running(server, ...command);
  assert.equal(await running.ended(), 0, running.words);
  return running.output;
}

forBothEngines((engine) => {
  test('deny: a login beyond the limit is refused with a reason, the first session stays, and its place is free after it', async (t) => {
    const server = await serve(engine, t, { sessionsPerUser: 1 });
    const first = await engine.loggedIn(t, 'alice', FIRST);
    const other = await engine.loggedIn(t, 'bob', SECOND);
    const second = await engine.losesItsLogin(t, 'alice', THIRD);
    assert.equal((await endOf(server, second))['reason'], 'userLimit');
    const failure = await server.waitForLog(
      'why',
      ({ peer, cause }) => peer === second.client.name && cause !== undefined,
    );
    assert.deepEqual([failure['cause'], failure.level], ['userLimit', 'warn']);
    assert.equal((await second.client.next('CallDisconnectNotify')).resultCode, 3);
    for (const stays of [first, other]) await stays.echo();
    first.client.send({ type: 'StopControlConnectionRequest', reason: 1 });
    await first.gone();
    await endOf(server, first);
    await (await engine.loggedIn(t, 'alice', FIRST)).echo();
  });

  test('replace: the oldest session of the user ends, and sends nothing over the tunnel, which may be the new session’s', async (t) => {
    const policy = { sessionsPerUser: 1, whenExceeded: 'replace' } as const;
    const server = await engine.startServer(t, { policy }, 'goodbye');
    const gre = new GrePeer(FIRST, SERVER_ADDRESS, 0);
    t.after(() => gre.close());
    const first = await engine.loggedIn(t, 'alice', FIRST);
    const second = await engine.loggedIn(t, 'alice', SECOND);
    await first.gone();
    const end = await endOf(server, first);
    assert.equal(end['reason'], 'replaced');
    assert.match(String(end['detail']), /^"alice" has logged in again, as session [a-z0-9]{6}$/);
    assert.equal((await first.client.next('CallDisconnectNotify')).resultCode, 3);
    assert.equal((await first.client.next('StopControlConnectionRequest')).reason, 3);
    const lcpCodes = gre.payloads.flatMap((payload) => {
      const frame = parseFrame(payload);
      return frame?.protocol === 0xc021 ? [frame.data[0]] : [];
    });
    assert(lcpCodes.includes(1) && !lcpCodes.includes(5), 'no LCP Terminate-Request among what was sent');
    await second.echo();
  });

  test('a manager that was killed and started again counts existing sessions', async (t) => {
    const server = await serve(engine, t, { sessionsPerUser: 1 });
    const first = await engine.loggedIn(t, 'alice', FIRST);
    await restart(server);
    const second = await engine.losesItsLogin(t, 'alice', SECOND);
    assert.equal((await endOf(server, second))['reason'], 'userLimit');
    await first.echo();
  });

  test('failed logins block their address until it is cleared, also in the next manager; existing sessions stay', async (t) => {
    const server = await serve(engine, t, { failedLogins: 2 });
    const isRefused = async (): Promise<void> => {
      const client = await Client.connect(FIRST);
      await client.closed;
      assert.deepEqual(client.messages.all, []);
    };
    const stays = await engine.loggedIn(t, 'alice', FIRST);
    await engine.losesItsLogin(t, 'wrong one', FIRST);
    await engine.losesItsLogin(t, 'wrong two', FIRST);
    await server.waitForLog('the block', ({ msg }) => msg.startsWith(`${FIRST} is blocked`));
    await isRefused();
    await Client.start(SECOND);
    assert.match(await output(server, 'blocks', '--json'), /"address": "198\.51\.100\.1",\n +"failedLogins": 2,/);
    assert.match(await output(server, 'blocks'), /^ADDRESS +FAILED LOGINS .*\n198\.51\.100\.1 +2 /);

    await restart(server);
    await isRefused();
    assert.match(await output(server, 'status'), /^turned away +1 blocked\nblocked +1 address /m);
    const wrong = new Running(server, 'blocks', '--clear', SECOND);
    assert.equal(await wrong.ended(), 1);
    assert.equal(wrong.words, `pptpd-ts: ${SECOND} is not blocked\n`);
    assert.equal(await output(server, 'blocks', '--clear', FIRST), `${FIRST} is no longer blocked\n`);
    await Client.start(FIRST);
    assert.equal(readFileSync(runPaths(server.runDirectory).blocks, 'utf8'), '[]');
    await stays.echo();
  });

  for (const [reason, policy] of [
    ['sessionTime', { sessionTime: 3 }],
    ['idle', { idleTime: 3 }],
  ] as const) {
    test(`${reason} ends a session in order`, async (t) => {
      const server = await serve(engine, t, policy);
      const visitor = await engine.loggedIn(t, 'alice', FIRST);
      await visitor.gone();
      const end = await endOf(server, visitor);
      assert.deepEqual([end['reason'], end['detail']], [reason, '3 s']);
      assert.equal((await visitor.client.next('CallDisconnectNotify')).resultCode, 3);
      assert.equal((await visitor.client.next('StopControlConnectionRequest')).reason, 3);
    });
  }
});

test('a login that finishes while its session ends does not count', async (t) => {
  const server = await startServer(t, {}, 'login', 'ignore');
  const visitor = await logins.called(t, 'alice', FIRST);
  const [session] = await server.sessions();
  assert(session?.pppdPid);
  const follower = await SessionClient.connect(server.runDirectory, session.session);
  const phases: string[] = [];
  follower.onState = ({ phase }) => void phases.push(phase);
  const over = new Promise<void>((resolve) => (follower.onClose = () => resolve()));
  await follower.request('subscribe', {});
  await follower.request('disconnect', { reason: 'kicked' });
  visitor.logIn().catch(() => undefined); // its connection closes meanwhile
  await server.waitForLog('its login', (line) => line.session === session.session && line.msg === 'PPP: up');
  process.kill(session.pppdPid, 'SIGKILL');
  await over;
  // A step of the call may still be reported to subscribers.
  assert.deepEqual(new Set(phases.slice(phases.indexOf('ending'))), new Set(['ending']));
});

test('blocks without a manager: exit code 3', async (t) => {
  const server = await startServer(t, {}, 'login');
  server.signal('SIGKILL');
  await server.exited();
  const command = new Running(server, 'blocks');
  assert.equal(await command.ended(), 3);
  server.start();
  await server.ready();
});
