/**
 * Each way for a login to fail that needs no real PPP: one line at level warn at its end, with the cause and a sentence
 * that names the real addresses. The way is blocked by the kernel's own packet filter, or by its routes. The others: test/lab.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { QUIET } from '../../src/gre/size-loss.js';
import { GreHub } from '../soak/gre-hub.js';
import { Visitor } from '../soak/visitor.js';
import { CALL, Client } from './support/client.js';
import { GrePeer, type Sent } from './support/gre-peer.js';
import { enterNamespace } from './support/netns.js';
import {
  CLIENT_ADDRESSES,
  type LogLine,
  SERVER_ADDRESS,
  type Server,
  type Settings,
  startServer,
} from './support/server.js';
import { ip } from './support/station.js';
import { IPV4, Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const [CLIENT] = CLIENT_ADDRESSES;
const [LCP, CHAP, IPCP] = [0xc021, 0xc223, 0x8021];
/** Codes of LCP and IPCP (RFC 1661 §5), and CHAP's (RFC 1994 §4). */
const [REQUEST, ACK, NAK, REJECT, TERMINATE] = [1, 2, 3, 4, 5];
const RESPONSE = 2;
/** How often the kernel sends again before it gives a connection up, in this namespace. */
const RETRIES = '/proc/sys/net/ipv4/tcp_retries2';

/** Has the kernel drop what the nftables expression `which` matches, until the test ends. */
function drop(t: TestContext, which: string): void {
  const rules = `table ip blocked { chain input { type filter hook input priority 0; ${which} drop; }; }`;
  const { status, stderr } = spawnSync('nft', ['-f', '-'], { input: rules, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  t.after(() => spawnSync('nft', ['delete', 'table', 'ip', 'blocked']));
}

/** Has the kernel refuse to send to the client, until the returned function is called or the test ends. */
function blackhole(t: TestContext): () => void {
  // Before the route by which the address is local.
  ip(`route prepend blackhole ${CLIENT}/32 table local`);
  let isThere = true;
  const remove = (): void => {
    if (isThere) ip(`route delete blackhole ${CLIENT}/32 table local`);
    isThere = false;
  };
  t.after(remove);
  return remove;
}

/** A packet of LCP, CHAP or IPCP. */
const packet = (code: number, identifier: number, data: Uint8Array): Buffer =>
  Buffer.of(code, identifier, 0, 4 + data.length, ...data);

/** Resolves when so many packets of the client have been counted, by default those with a frame. */
async function received(server: Server, count: number, counter = 'rxPackets'): Promise<void> {
  await until(`${counter} of ${count}`, async () => {
    const [session] = await server.sessions();
    return (session?.counters?.[counter] ?? 0) >= count;
  });
}

/** The warnings of the session, when it is over. */
async function warnings(server: Server): Promise<readonly LogLine[]> {
  const { session } = await server.waitForLog('the end', ({ msg }) => msg.startsWith('session ended'));
  return server.log.all.filter((line) => line.session === session && line.level === 'warn');
}

/** The one line that explains the failure, when the session is over. */
async function failure(server: Server): Promise<{ readonly cause: unknown; readonly msg: string }> {
  const [line, ...more] = await warnings(server);
  assert.deepEqual(more, []);
  return { cause: line?.['cause'], msg: line?.msg ?? '' };
}

describe('GRE is blocked', () => {
  test('to the server: both ends are named', async (t) => {
    drop(t, `ip protocol gre ip saddr ${CLIENT}`);
    const server = await startServer(t, {}, 'insist');
    const tunnel = await Tunnel.open(t);
    await until('all requests of our pppd', () => tunnel.packets.length >= 5);
    await tunnel.sendFrame(LCP, packet(REQUEST, 1, Buffer.of()));
    tunnel.client.end();
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'greNotReceived');
    assert.match(msg, new RegExp(`IP protocol 47 \\(GRE\\) from ${CLIENT} to ${SERVER_ADDRESS}`));
  });

  test('to the client, which repeats its first request', async (t) => {
    drop(t, `ip protocol gre ip daddr ${CLIENT}`);
    const server = await startServer(t, {}, 'insist');
    const tunnel = await Tunnel.open(t);
    for (let request = 0; request < 3; request += 1) await tunnel.sendFrame(LCP, packet(REQUEST, 1, Buffer.of()));
    await received(server, 3);
    // All requests of our pppd, which the client does not get.
    await received(server, 5, 'txPackets');
    tunnel.client.end();
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'greNotDelivered');
    assert.match(msg, new RegExp(`IP protocol 47 \\(GRE\\) from ${SERVER_ADDRESS} to ${CLIENT}`));
  });

  test('to the server, after the first answer: the direction is not named', async (t) => {
    const server = await startServer(t, {}, 'insist');
    const tunnel = await Tunnel.open(t);
    await until('all requests of our pppd', () => tunnel.packets.length >= 5);
    const request = await tunnel.nextFrame(LCP);
    const mru = Buffer.of(1, 4, 0x05, 0x78);
    await tunnel.sendFrame(LCP, packet(NAK, 1, mru));
    await received(server, 1);
    drop(t, `ip protocol gre ip saddr ${CLIENT}`);
    await tunnel.sendFrame(LCP, packet(ACK, 1, request.subarray(4)));
    await tunnel.sendFrame(LCP, packet(REQUEST, 1, mru));
    tunnel.client.end();
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'lcpTimeout');
    assert.match(msg, /never agreed.*\(LCP Configure-Requests sent: client 0, server 5\)/);
  });
});

describe('GRE arrives but is not usable: the counter is named, and nothing is called blocked', () => {
  const payload = Buffer.of(0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4);
  type Kind = readonly [what: string, sent: Sent, counter: string, remedy: RegExp];
  const ofCall: readonly Kind[] = [
    ['no sequence number', { payload }, 'rxNoSequence', /faulty/],
    ['neither numbers nor payload', {}, 'rxNoSequence', /faulty/],
    ['acknowledgments alone', { acknowledgment: 0 }, 'acksReceived', /see its own log/],
    ['a checksum', { payload, sequence: 1, flags: 0xb001 }, 'rxWrongFlags', /faulty/],
    ['routing', { payload, sequence: 1, flags: 0x7001 }, 'rxWrongFlags', /faulty/],
    ['recursion', { payload, sequence: 1, flags: 0x3101 }, 'rxWrongFlags', /faulty/],
    ['a length beyond the end', { payload, sequence: 1, length: 99 }, 'rxTruncated', /faulty/],
  ];
  const version0: Kind = [
    'version 0',
    { payload, sequence: 1, flags: 0x3000 },
    'rxWrongVersion',
    new RegExp(`another tunnel .* allow IP protocol 47 \\(GRE\\) from ${CLIENT} to ${SERVER_ADDRESS}`),
  ];
  /** The call's own socket does not receive these. */
  const strays: readonly Kind[] = [
    version0,
    ['another protocol', { payload, sequence: 1, protocol: 0x6400 }, 'rxWrongProtocol', /another tunnel/],
    ['call id 0', { payload, sequence: 1, callId: 0 }, 'rxWrongCallId', /another client.*nf_nat_pptp/],
  ];

  /** Octets from the client that wait in the server's raw sockets, in the kernel's accounting. */
  const waiting = (): number => {
    const client = Buffer.from(CLIENT.split('.').map(Number).toReversed()).toString('hex').toUpperCase();
    const lines = readFileSync('/proc/self/net/raw', 'latin1').trim().split('\n').slice(1);
    return lines
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , remote = '']) => remote.startsWith(client))
      .reduce((sum, [, , , , queues = ':0']) => sum + Number.parseInt(queues.split(':')[1] ?? '0', 16), 0);
  };
  const sendStray = async (peer: GrePeer, sent: Sent): Promise<void> => {
    const before = waiting();
    await peer.send(sent);
    await until('a packet that waits', () => waiting() > before);
  };

  for (const kind of [...ofCall, ...strays]) {
    const [what, sent, counter, remedy] = kind;
    test(what, async (t) => {
      const server = await startServer(t, {}, 'insist');
      const tunnel = await Tunnel.open(t);
      await until('all requests of our pppd', () => tunnel.packets.length >= 5);
      const peer = new GrePeer(CLIENT, SERVER_ADDRESS, tunnel.reply.callId);
      t.after(() => peer.close());
      for (let sending = 0; sending < 3; sending += 1) {
        if (strays.includes(kind)) await sendStray(peer, sent);
        else await peer.send(sent);
      }
      if (!strays.includes(kind)) await received(server, 3, counter);
      tunnel.client.end();
      const { cause, msg } = await failure(server);
      assert.equal(cause, 'greUnusable');
      assert.match(msg, new RegExp(`came from ${CLIENT} .*: 3 [^;]* \\(${counter}\\); `));
      assert.match(msg, remedy);
      const { counters } = await server.waitForLog('the end', (line) => line.msg.startsWith('session ended'));
      assert.equal((counters as Readonly<Record<string, number>>)[counter], 3);
    });
  }

  test('numbers without payload', async (t) => {
    const server = await startServer(t, {}, 'insist');
    const tunnel = await Tunnel.open(t);
    await until('all requests of our pppd', () => tunnel.packets.length >= 5);
    const peer = new GrePeer(CLIENT, SERVER_ADDRESS, tunnel.reply.callId);
    t.after(() => peer.close());
    for (let sequence = 0; sequence < 3; sequence += 1) await peer.send({ sequence });
    await received(server, 3, 'rxEmpty');
    tunnel.client.end();
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'greUnusable');
    assert.match(msg, /none was usable: 3 without payload \(rxEmpty\); the client's PPTP is faulty/);
  });

  test('also if the client leaves at once', async (t) => {
    const server = await startServer(t);
    const { client, reply } = await Client.call();
    const peer = new GrePeer(CLIENT, SERVER_ADDRESS, reply.callId);
    t.after(() => peer.close());
    await sendStray(peer, version0[1]);
    client.end();
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'greUnusable');
    assert.match(msg, /the client closed the TCP connection .*: 1 of another GRE version than 1 \(rxWrongVersion\)/);
  });
});

describe('the client ends the negotiation', () => {
  const end = packet(TERMINATE, 2, Buffer.from('User request'));

  test('in LCP, with its own reason', async (t) => {
    const server = await startServer(t, {}, 'login');
    const tunnel = await Tunnel.open(t);
    await tunnel.openLcp();
    await tunnel.sendFrame(LCP, end);
    await tunnel.client.closed;
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'terminated');
    assert.match(msg, /the client ended the link before it was up: "User request"/);
  });

  const inWords = 'Could not determine local IP address';
  const ways: readonly [string, (request: Buffer) => Buffer, RegExp][] = [
    [
      'rejects our address',
      (request) => packet(REJECT, 1, request.subarray(4)),
      /refused our address in the tunnel, 203/,
    ],
    ['closes IPCP', () => packet(TERMINATE, 1, Buffer.from(inWords)), new RegExp(`IP addresses in IPCP: "${inWords}"`)],
  ];
  for (const [how, answer, sentence] of ways) {
    test(`because of the addresses: it ${how}`, async (t) => {
      const server = await startServer(t, {}, 'login');
      const tunnel = await Tunnel.open(t);
      await tunnel.openLcp();
      await tunnel.nextFrame(CHAP);
      // 49 octets that prove nothing: the stand-in believes the name.
      await tunnel.sendFrame(CHAP, packet(RESPONSE, 1, Buffer.of(49, ...Buffer.alloc(49), ...Buffer.from('alice'))));
      await tunnel.sendFrame(IPCP, answer(await tunnel.nextFrame(IPCP)));
      await tunnel.sendFrame(LCP, end);
      await tunnel.client.closed;
      const { cause, msg } = await failure(server);
      assert.equal(cause, 'addressRefused');
      assert.match(msg, sentence);
    });
  }
});

describe('the system does not let us send to the client', () => {
  const ways: readonly [string, (t: TestContext) => Promise<() => void>, RegExp][] = [
    [
      'at the start of a call',
      async (t) => {
        const client = await Client.start();
        const open = blackhole(t);
        client.send(CALL);
        return open;
      },
      /cannot connect GRE to .*: EINVAL/,
    ],
    [
      'during a call',
      async (t) => {
        const tunnel = await Tunnel.open(t);
        await tunnel.openLcp();
        // pppd asks the client for its name again and again.
        await tunnel.nextFrame(CHAP);
        return blackhole(t);
      },
      /cannot send GRE packets: EINVAL/,
    ],
  ];
  for (const [when, begin, why] of ways) {
    test(when, async (t) => {
      const server = await startServer(t, {}, 'login');
      const open = await begin(t);
      await server.waitForLog('our leave', ({ message }) => message === 'StopControlConnectionRequest');
      // pppd runs already: its own end is told and waited for, also where the call has not begun.
      const [session] = await server.sessions();
      assert.notEqual(session?.pppdPid, null);
      open();
      const { cause, msg } = await failure(server);
      assert.equal(cause, 'relayFailed');
      assert.match(msg, why);
      assert.match(msg, new RegExp(`ip route get ${CLIENT} from ${SERVER_ADDRESS}`));
    });
  }
});

describe('the call fails', () => {
  const ways: readonly [string, Settings, readonly string[], string, RegExp][] = [
    ['pppd refuses its options', {}, ['say=pppd: unrecognized option', 'exit=2'], 'pppdOptions', /unrecognized option/],
    ['pppd finds no PPP', {}, ['say=pppd: no kernel support', 'exit=4'], 'kernelWithoutPpp', /modprobe ppp_async/],
    ['pppd ends', {}, ['exit=1'], 'pppdFailed', /exit code 1/],
    ['pppd waits', { timeouts: { establish: 3 } }, ['silent'], 'pppdSilent', /"silent"/],
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
  test('the client never starts a call', async (t) => {
    const server = await startServer(t, { timeouts: { establish: 0.5 } });
    await (await Client.start()).closed;
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'noCall');
    assert.match(msg, new RegExp(`client ${CLIENT} .*timeouts\\.establish is 0\\.5 s`));
  });

  test('the client does not speak PPTP', async (t) => {
    const server = await startServer(t);
    const client = await Client.start();
    client.sendBytes(Buffer.alloc(16, 'GET / HTTP/1.0'));
    await client.closed;
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'protocolError');
    assert.match(msg, new RegExp(`${CLIENT} is not a PPTP version 1 client`));
  });

  test('the client vanishes: how long it was silent', async (t) => {
    const server = await startServer(t, { timeouts: { echoInterval: 0.5, echoReply: 0.5 } });
    const { client } = await Client.call();
    await client.closed;
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'clientVanished');
    assert.match(msg, new RegExp(`client ${CLIENT} has vanished.* for 1 s`));
  });

  test('only the control connection is lost', async (t) => {
    const server = await startServer(t, { timeouts: { echoInterval: 0.5, echoReply: 0.5 } });
    const tunnel = await Tunnel.open(t);
    await tunnel.openLcp();
    await tunnel.client.next('EchoRequest');
    for (const text of ['one', 'two', 'three']) await tunnel.assertRelays(text);
    await tunnel.client.closed;
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'controlConnectionLost');
    assert.match(
      msg,
      new RegExp(`client ${CLIENT} is dead, but its tunnel is not.* for 1 s, and [3-9] GRE packets arrived`),
    );
  });

  test('the client resets its connection', async (t) => {
    const server = await startServer(t);
    const { client } = await Client.call();
    client.reset();
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'connectionFailed');
    assert.match(msg, new RegExp(`\\(read ECONNRESET\\): the path between ${CLIENT} and ${SERVER_ADDRESS}`));
  });

  test('nothing that is sent to the client arrives', async (t) => {
    const retries = readFileSync(RETRIES, 'latin1');
    writeFileSync(RETRIES, '1');
    t.after(() => writeFileSync(RETRIES, retries));
    const server = await startServer(t);
    const { client } = await Client.call();
    drop(t, `ip daddr ${CLIENT} tcp sport 1723`);
    client.send({ type: 'EchoRequest', identifier: 1 });
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'connectionFailed');
    assert.match(msg, /read ETIMEDOUT/);
    // It does not receive the end either.
    client.reset();
  });

  test('the client’s Call-Clear-Request crosses our stop: one line', async (t) => {
    const server = await startServer(t);
    const { client } = await Client.call();
    client.answersStop = false;
    const { pid } = await server.waitForPppd('its start', ({ event }) => event === 'started');
    process.kill(pid, 'SIGKILL');
    await client.next('CallDisconnectNotify');
    await client.next('StopControlConnectionRequest');
    client.send(
      { type: 'CallClearRequest', callId: CALL.callId },
      { type: 'StopControlConnectionReply', resultCode: 1, errorCode: 0 },
    );
    await client.closed;
    assert.equal((await failure(server)).cause, 'pppdDied');
  });

  test('no warning after a call that was up is cleared and the connection is reset', async (t) => {
    const server = await startServer(t, {}, 'login');
    const hub = new GreHub(SERVER_ADDRESS, '198.51.100.0', 24);
    const attempt = { address: CLIENT, begun: 0, session: 'no', user: null, ending: '', reasons: null } as const;
    const visitor = new Visitor({ hub, attempt: { ...attempt }, user: 'alice' });
    t.after(() => {
      visitor.close();
      hub.close();
    });
    await visitor.connect();
    await visitor.start();
    await visitor.call();
    await visitor.logIn();
    visitor.client.send({ type: 'CallClearRequest', callId: visitor.callId });
    await visitor.client.next('CallDisconnectNotify');
    visitor.client.reset();
    assert.deepEqual(await warnings(server), []);
  });

  test('the client clears its call before it is logged in, then leaves: one line, and no other when the session ends', async (t) => {
    const server = await startServer(t);
    const { client, reply } = await Client.call();
    client.send({ type: 'CallClearRequest', callId: CALL.callId });
    assert.equal((await client.next('CallDisconnectNotify')).callId, reply.callId);
    client.end();
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'clientLeft');
    assert.match(msg, /no GRE packet .* had arrived/);
  });
});

test('long frames to the client vanish and short ones do not: a black hole is suspected, once', async (t) => {
  drop(t, `ip protocol gre ip daddr ${CLIENT} meta length > 1000`);
  // Its question comes when the client has been quiet for long enough to miss an acknowledgment.
  const server = await startServer(t, { timeouts: { echoInterval: (QUIET * 1.4) / 1000 } });
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  const { client } = tunnel;
  const suspected = () => server.log.all.filter(({ cause }) => cause === 'mtuBlackHole');
  for (let round = 0; round < 20 && suspected().length === 0; round += 1) {
    await tunnel.sendFrame(IPV4, Buffer.alloc(1400));
    const { identifier } = await client.next('EchoRequest');
    await tunnel.assertRelays(`short ${round}`);
    client.send({ type: 'EchoReply', identifier, resultCode: 1, errorCode: 0 });
  }
  const [line, ...more] = suspected();
  assert.deepEqual([line?.level, line?.['missing'], more.length], ['warn', 1404, 0]);
  assert.match(line?.msg ?? '', new RegExp(`from ${SERVER_ADDRESS} to ${CLIENT}`));
  const [session] = await server.sessions();
  assert.equal(session?.warning?.cause, 'mtuBlackHole');
});
