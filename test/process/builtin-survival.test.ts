/**
 * Manager, monitor and workers of the builtin engine die or are replaced while echoes go through a tunnel. Each echo is asked
 * for once: a lost packet fails the test.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { before, describe, test, type TestContext } from 'node:test';
import { startBuiltin } from './support/engines.js';
import { prepareMachine, recordScripts } from './support/monitor.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, type Server, SERVER_ADDRESS } from './support/server.js';
import { ip } from './support/station.js';
import { VpnClient } from './support/vpn-client.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);
before(prepareMachine);

const [FIRST, SECOND, THIRD] = CLIENT_ADDRESSES;

const shown = (...command: string[]): string => spawnSync('ip', command, { encoding: 'utf8' }).stdout;
const hasLink = (name: string): boolean => existsSync(`/sys/class/net/${name}`) || shown('link', 'show', name) !== '';

/** Sends one echo after the other until `during` has resolved, and some more; none may be lost. */
async function withEchoes(vpn: VpnClient, during: () => Promise<void>): Promise<void> {
  let isOver = false;
  const echoes = (async () => {
    let after = 0;
    for (let count = 1; after < 5; count += 1) {
      await vpn.echoOnce();
      if (isOver) after += 1;
    }
  })();
  try {
    await during();
  } finally {
    isOver = true;
    await echoes;
  }
}

async function restart(server: Server, signal: 'SIGKILL' | 'SIGQUIT'): Promise<void> {
  server.signal(signal);
  await server.exited();
  server.start();
  await server.ready();
}

async function killMonitor(server: Server, which: readonly ('monitor' | 'supervisor')[]): Promise<void> {
  const running = server.monitorProcesses();
  for (const each of which) process.kill(running[each] ?? assert.fail(`no ${each} runs`), 'SIGKILL');
  await until('the monitor to be gone', () => server.monitorProcesses().monitor !== running.monitor);
}

/** A newcomer logs in and leaves. */
async function assertServed(t: TestContext, from: string): Promise<void> {
  const vpn = await VpnClient.loggedIn(t, { from, callId: 99, user: 'bob' });
  await vpn.echoOnce();
  await vpn.leave();
}

describe('the session goes on, the next client is served, and the end is complete', () => {
  const events: readonly [what: string, happen: (server: Server) => Promise<void>][] = [
    ['the manager is killed and started again', async (server) => restart(server, 'SIGKILL')],
    ['the manager is replaced', async (server) => restart(server, 'SIGQUIT')],
    ['the monitor is killed', async (server) => killMonitor(server, ['monitor'])],
    [
      'manager, monitor and supervisor are killed, and the server is started again',
      async (server) => {
        await killMonitor(server, ['supervisor', 'monitor']);
        await restart(server, 'SIGKILL');
      },
    ],
  ];
  for (const [what, happen] of events)
    test(what, async (t) => {
      const { calls } = recordScripts(t);
      const server = await startBuiltin(t);
      const vpn = await VpnClient.loggedIn(t, { from: FIRST });
      await withEchoes(vpn, async () => {
        await happen(server);
        await assertServed(t, SECOND);
        await happen(server);
      });
      await assertServed(t, THIRD);
      await vpn.leave();
      await until('ip-down', () => calls().some((call) => call.startsWith(`ip-down ppp0 `)));
      await until('ppp0 to be gone', () => !hasLink('ppp0'));
      assert.equal(calls().filter((call) => call.startsWith('ip-up ppp0 ')).length, 1);
    });
});

test('without monitor and supervisor sessions go on, and a new login fails by a sentence', async (t) => {
  const server = await startBuiltin(t);
  const vpn = await VpnClient.loggedIn(t, { from: FIRST });
  await killMonitor(server, ['supervisor', 'monitor']);
  await withEchoes(vpn, async () => {
    const other = await VpnClient.dials(t, { from: SECOND, callId: 2 });
    await other.closed;
    const line = await server.waitForLog('why', ({ peer, cause }) => peer === other.name && cause !== undefined);
    assert.equal(line['cause'], 'deviceFailed');
    assert.match(
      line.msg,
      /neither the monitor nor its supervisor is running: ECONNREFUSED\); remedy: start the server again/,
    );
  });
  await restart(server, 'SIGQUIT');
  await assertServed(t, SECOND);
  await vpn.leave();
  await until('ppp0 to be gone', () => !hasLink('ppp0'));
});

test('the monitor stands still: a client gets its session, and its call waits for the monitor', async (t) => {
  const server = await startBuiltin(t);
  const { monitor = 0 } = server.monitorProcesses();
  process.kill(monitor, 'SIGSTOP');
  const client = await VpnClient.dials(t, { from: FIRST, callId: 1 });
  await server.waitForPhases({ starting: 1 });
  process.kill(monitor, 'SIGCONT');
  assert.equal((await client.next('OutgoingCallReply')).resultCode, 1);
});

test('a worker is killed: interface, route, address and ARP entry are gone, ip-down has run, others are unharmed', async (t) => {
  ip('link add lan0 type veth peer name lan1');
  t.after(() => ip('link delete lan0'));
  ip('address add 203.0.113.2/24 dev lan0');
  for (const name of ['lan0', 'lan1']) ip(`link set ${name} up`);
  await until('lan0 to run', () => networkInterfaces()['lan0'] !== undefined);
  const { calls } = recordScripts(t);
  const server = await startBuiltin(t, { ppp: { proxyArp: true }, addresses: { remote: ['203.0.113.10-11'] } });
  const vpn = await VpnClient.loggedIn(t, { from: FIRST });
  const other = await VpnClient.loggedIn(t, { from: SECOND, callId: 2, user: 'bob' });
  const { address } = vpn;
  const entries = (): string => shown('neighbour', 'show', 'proxy');
  assert.match(entries(), new RegExp(`^${address} dev lan0`, 'm'));
  const victim = (await server.sessions()).find(({ user }) => user === 'alice');
  await withEchoes(other, async () => {
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await vpn.gone();
    await until('ppp0 to be gone', () => !hasLink('ppp0'));
    await until('ip-down', () => calls().some((call) => call.startsWith('ip-down ppp0 ')));
    await until('the ARP entry to be gone', () => !entries().includes(address));
    await server.waitForSessions(1);
  });
  assert.equal(shown('route', 'show', address), '');
  assert.match(entries(), new RegExp(`^${other.address} dev lan0`, 'm'));
  const next = await VpnClient.loggedIn(t, { from: THIRD, callId: 3 });
  assert.equal(next.address, address);
});

test('a worker is killed while the monitor is stopped: it is cleaned up after, and the next client served', async (t) => {
  const { calls } = recordScripts(t);
  const server = await startBuiltin(t);
  const vpn = await VpnClient.loggedIn(t, { from: FIRST });
  const { monitor = 0 } = server.monitorProcesses();
  process.kill(monitor, 'SIGSTOP');
  const [session] = await server.sessions();
  process.kill(session?.pid ?? 0, 'SIGKILL');
  await vpn.gone();
  process.kill(monitor, 'SIGKILL');
  await until('ip-down', () => calls().some((call) => call.startsWith('ip-down ppp0 ')));
  await assertServed(t, FIRST);
});

test('a session that ends without a manager leaves nothing, and its address is lent again', async (t) => {
  const { calls } = recordScripts(t);
  const server = await startBuiltin(t);
  const vpn = await VpnClient.loggedIn(t, { from: FIRST });
  server.signal('SIGKILL');
  await server.exited();
  await vpn.leave();
  await until('ip-down', () => calls().some((call) => call.startsWith('ip-down ppp0 ')));
  await until('ppp0 to be gone', () => !hasLink('ppp0'));
  server.start();
  await server.ready();
  const next = await VpnClient.loggedIn(t, { from: SECOND });
  assert.equal(next.address, vpn.address);
});
