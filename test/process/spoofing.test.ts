/**
 * Packets and messages that pretend to be somebody else's: from other addresses, with other call ids, out of turn.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { SessionState } from '../../src/session/state.js';
import { GreFlood, junk } from './support/gre-flood.js';
import type { GreFields } from './support/gre-packet.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, type Server, startServer } from './support/server.js';
import { Tunnel } from './support/tunnel.js';

const [VICTIM, OTHER, STRANGER] = CLIENT_ADDRESSES;
enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const FORGED = 2000;
/** The protocol as a compressed field (RFC 1661 §6.5). */
const IPV6 = 0x57;

/** Two sessions with data through them. */
async function twoTunnels(t: TestContext): Promise<{ server: Server; victim: Tunnel; other: Tunnel; gre: GreFlood }> {
  const server = await startServer(t);
  const victim = await Tunnel.open(t, VICTIM, 1);
  const other = await Tunnel.open(t, OTHER, 2);
  for (const tunnel of [victim, other]) {
    await tunnel.openLcp();
    await tunnel.assertRelays('before');
  }
  const gre = new GreFlood(SERVER_ADDRESS);
  t.after(() => gre.close());
  return { server, victim, other, gre };
}

async function countersOf(server: Server, tunnel: Tunnel): Promise<NonNullable<SessionState['counters']>> {
  const session = (await server.sessions()).find(({ callId }) => callId === tunnel.reply.callId);
  assert(session?.counters);
  return session.counters;
}

/** What came in and how it was judged, the packets of the test's own data left out. */
async function received(server: Server, tunnel: Tunnel): Promise<Record<string, number>> {
  const { rxPackets: _, rxBytes: __, ...rest } = await countersOf(server, tunnel);
  return Object.fromEntries(Object.entries(rest).filter(([name]) => name.startsWith('rx')));
}

describe('GRE from another address', () => {
  for (const [who, from] of [
    ['a stranger', STRANGER],
    ['another client', OTHER],
  ] as const) {
    test(`with the right call id, from ${who}: the kernel drops it, nobody's worker sees it`, async (t) => {
      const { server, victim, other, gre } = await twoTunnels(t);
      const before = [await received(server, victim), await received(server, other)];
      const { callId } = victim.reply;
      await gre.flood(FORGED, (index) => gre.build({ from, callId, sequence: index, payload: junk(64) }));
      await gre.flood(FORGED, (index) => gre.build({ from, callId, acknowledgment: index }));
      for (const tunnel of [victim, other]) await tunnel.assertRelays('afterwards');
      assert.deepEqual([await received(server, victim), await received(server, other)], before);
    });
  }
});

describe("GRE from the client's own address and with the right call id", () => {
  /** Each is sent a thousand times over, and none may take the stream out of its order. */
  const attempts: Readonly<Record<string, (index: number) => Omit<GreFields, 'from' | 'to' | 'callId'>>> = {
    'far ahead': (index) => ({ sequence: 1_000_000 + index * 7919, payload: junk(64) }),
    'far behind': (index) => ({ sequence: 0xf000_0000 - index * 7919, payload: junk(64) }),
    'just outside of the window, and back': (index) => ({ sequence: 310 + (index % 2) * 400, payload: junk(64) }),
    'four in a row, then elsewhere': (index) => ({
      sequence: (index >> 2) * 100_000 + 50_000 + (index % 4),
      payload: junk(64),
    }),
    'sent before': () => ({ sequence: 0, payload: junk(64) }),
    'acknowledgments of what was never sent': (index) => ({ acknowledgment: 1_000_000 + index }),
    'without a number': () => ({ payload: junk(64) }),
  };
  for (const [what, forge] of Object.entries(attempts)) {
    test(`${what}: dropped, and the stream goes on`, async (t) => {
      const { server, victim, gre } = await twoTunnels(t);
      const { callId } = victim.reply;
      await gre.flood(FORGED, (index) => gre.build({ from: VICTIM, callId, ...forge(index) }));
      await victim.assertRelays('afterwards');
      await victim.client.echo();
      const { rxLost, rxResyncs, rxHeld } = await countersOf(server, victim);
      assert.deepEqual([rxLost, rxResyncs, rxHeld], [0, 0, 0]);
    });
  }

  test('runs of numbers, each of which takes the window: the client has it back with its next packet', async (t) => {
    const { server, victim, gre } = await twoTunnels(t);
    const { callId } = victim.reply;
    // Passed on and echoed, as a forger's frames are: no IPv4, which the victim asserts.
    const payload = Buffer.concat([Buffer.of(IPV6), junk(63)]);
    for (let round = 0; round < 5; round += 1) {
      // Ten runs; their echoes fit into the victim's socket.
      await gre.flood(160, (index) => {
        const sequence = round * 0x1000_0000 + (index >> 4) * 0x10_0000 + (index % 16) + 0x8_0000;
        return gre.build({ from: VICTIM, callId, sequence, payload });
      });
      await victim.assertRelays(`after round ${round}`);
    }
    await victim.client.echo();
    const { rxLost, rxResyncs = 0 } = await countersOf(server, victim);
    assert.equal(rxLost, 0);
    assert(rxResyncs > 5, `the window was taken or had back ${rxResyncs} times`);
  });
});

test("control messages that name another's call do nothing to it, nor to one's own", async (t) => {
  const { server, victim, other } = await twoTunnels(t);
  const { callId } = victim.reply;
  other.client.send(
    { type: 'CallClearRequest', callId },
    { type: 'CallClearRequest', callId: victim.reply.peerCallId },
    { type: 'SetLinkInfo', peerCallId: callId, sendAccm: 0xffff_ffff, receiveAccm: 0xffff_ffff },
    {
      type: 'CallDisconnectNotify',
      callId,
      resultCode: 1,
      errorCode: 0,
      causeCode: 0,
      callStatistics: '',
    },
    {
      type: 'IncomingCallConnected',
      peerCallId: callId,
      connectSpeed: 1,
      receiveWindowSize: 1,
      packetTransmitDelay: 0,
      framingType: 1,
    },
  );
  await other.client.echo();
  for (const tunnel of [victim, other]) {
    await tunnel.client.echo();
    await tunnel.assertRelays('afterwards');
  }
  assert.equal((await server.sessions()).length, 2);
});
