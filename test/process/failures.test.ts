/**
 * Each way for a login to fail that needs no real PPP: one line at level warn at its end, with the cause and a sentence
 * that names the real addresses. GRE is blocked by the kernel's own packet filter. The others: test/lab.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { QUIET } from '../../src/gre/size-loss.js';
import { CALL, Client } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, type Server, type Settings, startServer } from './support/server.js';
import { IPV4, Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const [CLIENT] = CLIENT_ADDRESSES;
const LCP = 0xc021;

/** Has the kernel drop what the nftables expression `which` matches, until the test ends. */
function drop(t: TestContext, which: string): void {
  const rules = `table ip blocked { chain input { type filter hook input priority 0; ${which} drop; }; }`;
  const { status, stderr } = spawnSync('nft', ['-f', '-'], { input: rules, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  t.after(() => spawnSync('nft', ['delete', 'table', 'ip', 'blocked']));
}

/** The one line that explains the failure, when the session is over. */
async function failure(server: Server): Promise<{ readonly cause: unknown; readonly msg: string }> {
  const { session } = await server.waitForLog('the end', ({ msg }) => msg.startsWith('session ended'));
  const lines = server.log.all.filter((line) => line.session === session && line['cause'] !== undefined);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['warn'],
    JSON.stringify(lines),
  );
  const [line] = lines;
  return { cause: line?.['cause'], msg: line?.msg ?? '' };
}

describe('GRE is blocked', () => {
  test('on the way to us: both ends are named', async (t) => {
    drop(t, `ip protocol gre ip saddr ${CLIENT}`);
    const server = await startServer(t, {}, 'insist');
    const tunnel = await Tunnel.open(t);
    await until('all requests of our pppd', () => tunnel.packets.length >= 5);
    await tunnel.sendFrame(LCP, Buffer.of(1, 1, 0, 4));
    tunnel.client.end();
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'greNotReceived');
    assert.match(msg, new RegExp(`IP protocol 47 pass from ${CLIENT} to ${SERVER_ADDRESS}`));
  });

  test('on the way to the client, which repeats its first request', async (t) => {
    drop(t, `ip protocol gre ip daddr ${CLIENT}`);
    const server = await startServer(t, {}, 'insist');
    const tunnel = await Tunnel.open(t);
    for (let request = 0; request < 3; request += 1) await tunnel.sendFrame(LCP, Buffer.of(1, 1, 0, 4));
    // Each look is a connection to the session's socket.
    for (;;) {
      const [session] = await server.sessions();
      if ((session?.counters?.['rxPackets'] ?? 0) >= 3) break;
    }
    tunnel.client.end();
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'greNotDelivered');
    assert.match(msg, new RegExp(`IP protocol 47 pass from ${SERVER_ADDRESS} to ${CLIENT}`));
  });
});

describe('the call fails', () => {
  const ways: readonly [string, Settings, readonly string[], string, RegExp][] = [
    ['pppd refuses its options', {}, ['say=pppd: unrecognized option', 'exit=2'], 'pppdOptions', /unrecognized option/],
    ['pppd finds no PPP', {}, ['say=pppd: no kernel support', 'exit=4'], 'kernelWithoutPpp', /modprobe ppp_async/],
    ['pppd ends', {}, ['exit=1'], 'pppdFailed', /exit code 1/],
    ['pppd waits', { timeouts: { establish: 0.5 } }, ['silent'], 'pppdSilent', /"silent"/],
  ];
  test('pppd is not there', async (t) => {
    const server = await startServer(t);
    const path = join(server.directory, 'gone');
    server.configure({ pppd: { path } });
    writeFileSync(path, '#!/bin/true\n', { mode: 0o755 });
    server.signal('SIGHUP');
    await server.waitForLog('the reload', ({ msg }) => msg.startsWith('configuration reloaded'));
    rmSync(path);
    const client = await Client.start();
    client.send(CALL);
    assert.equal((await client.next('OutgoingCallReply')).errorCode, 6);
    await client.closed;
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'pppdNotExecutable');
    assert.match(msg, /cannot start .*\/gone: ENOENT/);
  });

  for (const [what, settings, standIn, cause, msg] of ways) {
    test(what, async (t) => {
      const server = await startServer(t, settings, ...standIn);
      const client = await Client.start();
      client.send(CALL);
      assert.equal((await client.next('OutgoingCallReply')).errorCode, 6);
      await client.closed;
      const seen = await failure(server);
      assert.equal(seen.cause, cause);
      assert.match(seen.msg, msg);
    });
  }

  test('pppd is killed', async (t) => {
    const server = await startServer(t);
    const { client } = await Client.call();
    const { pid } = await server.waitForPppd('its start', ({ event }) => event === 'started');
    process.kill(pid, 'SIGKILL');
    await client.closed;
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'pppdDied');
    assert.match(msg, /signal 9/);
  });
});

describe('the client fails', () => {
  test('it calls never', async (t) => {
    const server = await startServer(t, { timeouts: { establish: 0.5 } });
    await (await Client.start()).closed;
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'noCall');
    assert.match(msg, new RegExp(`client ${CLIENT} .*timeouts\\.establish is 0\\.5 s`));
  });

  test('it speaks something else', async (t) => {
    const server = await startServer(t);
    const client = await Client.start();
    client.sendBytes(Buffer.alloc(16, 'GET / HTTP/1.0'));
    await client.closed;
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'protocolError');
    assert.match(msg, new RegExp(`${CLIENT} is no PPTP client`));
  });

  test('it vanishes: how long it was silent', async (t) => {
    const server = await startServer(t, { timeouts: { echoInterval: 0.5, echoReply: 0.5 } });
    const { client } = await Client.call();
    await client.closed;
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'clientVanished');
    assert.match(msg, new RegExp(`client ${CLIENT} has vanished.* for 1 s`));
  });

  test('it leaves before it is logged in, or clears its call: one line, not another when the session ends', async (t) => {
    const server = await startServer(t);
    const { client, reply } = await Client.call();
    client.send({ type: 'CallClearRequest', callId: CALL.callId });
    assert.equal((await client.next('CallDisconnectNotify')).callId, reply.callId);
    client.end();
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'clientLeft');
    assert.match(msg, /not one GRE packet/);
  });
});

test('long frames to the client vanish and short ones do not: a black hole is suspected, once', async (t) => {
  drop(t, `ip protocol gre ip daddr ${CLIENT} meta length > 1000`);
  const server = await startServer(t);
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  const suspected = () => server.log.all.filter(({ cause }) => cause === 'mtuBlackHole');
  for (let round = 0; round < 20 && suspected().length === 0; round += 1) {
    await tunnel.sendFrame(IPV4, Buffer.alloc(1400));
    // A client that is quiet for so long is what is being tested.
    await pass(QUIET + 200);
    await tunnel.assertRelays(`short ${round}`);
  }
  const [line, ...more] = suspected();
  assert.deepEqual([line?.level, line?.['missing'], more.length], ['warn', 1404, 0]);
  assert.match(line?.msg ?? '', new RegExp(`from ${SERVER_ADDRESS} to ${CLIENT}`));
  const [session] = await server.sessions();
  assert.equal(session?.warning?.cause, 'mtuBlackHole');
});
