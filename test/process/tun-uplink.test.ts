/**
 * From a client through a network that loses, delays and duplicates, the relay, a TUN device and the kernel's forwarding,
 * which cuts what was joined, to a host: whatever was delivered, octet by octet, and nothing else.
 *
 *     test as client 192.0.2.2 ── GRE ── 192.0.2.1 relay ── TUN ── kernel forwards ── TUN without offload ── test as host
 */
import assert from 'node:assert/strict';
import { closeSync, writeFileSync } from 'node:fs';
import { before, describe, type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { connectGre } from '../../src/gre/gre-socket.js';
import { PacketBuffers } from '../../src/gre/packet-buffers.js';
import { Relay, type RelayCounters } from '../../src/gre/relay.js';
import { TunPort } from '../../src/link/tun/tun-port.js';
import { Mppe } from '../../src/mschap/mppe.js';
import { write } from '../../src/sys/batch-io.js';
import { IPPROTO_GRE, openRawSocket } from '../../src/sys/raw-socket.js';
import { SharedMemory } from '../../src/sys/shared-memory.js';
import { openTunDevice } from '../../src/sys/tun-device.js';
import { ClientPpp, KEYS, type Mode } from '../unit/link/tun/client-ppp.js';
import { checksum } from '../unit/link/tun/packets.js';
import { Flows, hasData, judge, type Sending, sendings } from '../unit/link/tun/uplink.js';
import { buildGre, IP_HEADER } from './support/gre-packet.js';
import { enterNamespace } from './support/netns.js';
import { ip } from './support/station.js';
import { Tun } from './support/tun.js';
import { until } from './support/wait.js';
import { CLIENT, CLIENT_CALL, RELAYED_CALL, SERVER, SERVER_CALL } from './support/relayed-call.js';

/** Inside the tunnel, and behind the server. */
const REMOTE = '203.0.113.2';
const REMOTE_NUMBER = 0xcb00_7102;
const HOST = '198.51.100.2';
const TIMEOUT = 120_000;
const LONGEST = 2000;
const RUNS = 12;

enterNamespace(SERVER, CLIENT);

before(() => {
  for (const which of ['default', 'all']) writeFileSync(`/proc/sys/net/ipv6/conf/${which}/router_solicitations`, '0');
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1');
});

/** Sends without the event loop, so that many packets wait for the relay at once. */
class ClientSocket {
  readonly #memory = new SharedMemory();
  readonly #at = this.#memory.take(LONGEST);
  readonly #fd = openRawSocket(IPPROTO_GRE);

  constructor(t: TestContext) {
    t.after(() => closeSync(this.#fd));
    connectGre(this.#fd, { localAddress: CLIENT, peerAddress: SERVER, callId: CLIENT_CALL, device: undefined });
  }

  send(sequence: number, payload: Buffer): void {
    const gre = buildGre({ from: CLIENT, to: SERVER, callId: SERVER_CALL, sequence, payload }).subarray(IP_HEADER);
    this.#memory.octets.set(gre, this.#at);
    assert.equal(write(this.#fd, this.#memory.address + this.#at, gre.length), gre.length);
  }
}

class Tunnel {
  readonly #client = new ClientPpp();
  readonly #socket: ClientSocket;
  readonly #relay: Relay;
  readonly #host: Tun;
  readonly #flows = new Flows({ from: REMOTE, to: HOST });
  readonly #undelivered: { readonly due: number; readonly number: number; readonly frame: Buffer }[] = [];
  #needsReset = false;
  #number = 0;

  constructor(t: TestContext, mode: Mode) {
    const memory = new SharedMemory();
    const buffers = new PacketBuffers(memory);
    const onEvent = ({ type }: { readonly type: string }): void => {
      assert.equal(type, 'resetNeeded');
      this.#needsReset = true;
    };
    const port = new TunPort({ memory, buffers, onEvent });
    const { fd, name } = openTunDevice('ppp%d');
    port.open(fd);
    ip(`address add 203.0.113.1 peer ${REMOTE} dev ${name}`);
    ip(`address add 2001:db8::1/120 dev ${name} nodad`);
    ip(`link set ${name} up`);
    this.#host = new Tun(t, 'host', '198.51.100.1', HOST);
    ip('address add 2001:db8::101/120 dev host nodad');
    this.#socket = new ClientSocket(t);
    this.#relay = new Relay({
      ...RELAYED_CALL,
      buffers,
      port,
      onEvent: () => undefined,
    });
    t.after(() => this.#relay.close());
    // The relay receives nothing before PPP has sent something.
    port.queueControl(Buffer.from('c0210101000a0506deadbeef', 'hex'));
    this.#relay.sendQueued();
    port.setNetwork({ client: REMOTE_NUMBER, ipv6: true, mtu: 1400 });
    port.setRequireEncryption(mode !== 'none');
    const mppe = new Mppe(memory);
    mppe.start(KEYS, { bits: 128, stateless: mode === 'stateless' });
    port.setEncryption(mode === 'none' ? null : mppe);
    this.#client.start(mode);
  }

  /** `pauses`: after how many packets the relay may run. */
  async run(all: readonly Sending[], pauses: readonly number[]): Promise<void> {
    const earlier = this.#relay.counters();
    const arrived: Buffer[] = [];
    let copies = 0;
    let [pause, left] = [0, pauses[0] ?? 1];
    // The last packet shows that those before it which are missing are lost.
    for (const sending of [...all, { flow: 0, kind: 'pushed', delays: [0] } as const]) {
      const packet = this.#flows.packet(sending);
      const frame = this.#client.frame(packet);
      for (const delay of sending.delays)
        this.#undelivered.push({ due: this.#number + delay, number: this.#number, frame });
      if (sending.delays.length > 0) arrived.push(packet);
      copies += sending.delays.length;
      this.#number += 1;
      left -= 1;
      if (left > 0) continue;
      await this.#handOver(this.#number - 1);
      pause += 1;
      left = pauses[pause % pauses.length] ?? 1;
    }
    await this.#handOver(Number.POSITIVE_INFINITY);
    const since = (...names: readonly (keyof RelayCounters)[]): number => {
      const counters = this.#relay.counters();
      return names.reduce((sum, name) => sum + counters[name] - earlier[name], 0);
    };
    await until(
      'every packet to be delivered or refused',
      () => since('rxPackets', 'rxLate', 'rxDuplicate', 'rxOutsideWindow', 'rxSocketFull') === copies,
    );
    const count = since('rxPackets') - since('rxUndecryptable', 'rxSuperseded', 'rxTunRefused');
    const cameOut = await until(`${count} packets at the host`, () => {
      this.#host.read();
      const packets = this.#host.packets.filter((packet) => packet[0] === 0x45 || packet[6] === 6);
      return packets.length >= count && packets;
    });
    assert.equal(cameOut.length, count);
    this.#host.packets.length = 0;
    const missing = judge(arrived, cameOut.map(asSent));
    assert.ok(missing.filter(hasData).length <= since('rxUndecryptable', 'rxLate', 'rxOutsideWindow', 'rxSocketFull'));
    assert.equal(since('rxTunRefused', 'rxMalformed', 'rxNotReady', 'rxForeignSource'), 0);
  }

  async #handOver(due: number): Promise<void> {
    const now = this.#undelivered.filter((each) => each.due <= due).toSorted((one, other) => one.due - other.due);
    this.#undelivered.splice(0, this.#undelivered.length, ...this.#undelivered.filter((each) => each.due > due));
    for (const { number, frame } of now) this.#socket.send(number, frame);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#needsReset) this.#client.reset();
    this.#needsReset = false;
  }
}

/** Undoes what forwarding has done to the packet. */
function asSent(packet: Buffer): Buffer {
  const sent = Buffer.from(packet);
  if (packet[0] !== 0x45) {
    sent[7] = 64;
    return sent;
  }
  assert.equal(checksum(packet.subarray(0, 20)), 0);
  sent[8] = 64;
  sent.writeUInt16BE(0, 10);
  sent.writeUInt16BE(checksum(sent.subarray(0, 20)), 10);
  return sent;
}

for (const mode of ['none', 'stateless', 'stateful'] as const) {
  describe(`MPPE ${mode}`, { timeout: TIMEOUT }, () => {
    test('what is delivered comes out at the host, and nothing else', async (t) => {
      const tunnel = new Tunnel(t, mode);
      const pauses = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(sendings(120, 60), pauses, async (all, when) => tunnel.run(all, when)),
        { numRuns: RUNS, endOnFailure: true },
      );
    });
  });
}
