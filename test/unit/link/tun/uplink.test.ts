/**
 * From GRE packets to what is written to the TUN device, over a network that loses, delays and duplicates: receive slots,
 * sequence, decryption and joining, put together as the relay does. test/process/tun-uplink.test.ts does it with the relay
 * itself and the kernel.
 */
import assert from 'node:assert/strict';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { PacketBuffers, RECEIVE_BATCH } from '../../../../src/gre/packet-buffers.js';
import { ReceiveSlots } from '../../../../src/gre/receive-slots.js';
import { noneCounted, type RelayCounters } from '../../../../src/gre/relay-counters.js';
import { MAX_WAIT } from '../../../../src/gre/reorder-wait.js';
import { ReceiveSequence, WINDOW } from '../../../../src/gre/sequence.js';
import { TunPort } from '../../../../src/link/tun/tun-port.js';
import { Mppe } from '../../../../src/mschap/mppe.js';
import { libc } from '../../../../src/sys/libc.js';
import { SharedMemory } from '../../../../src/sys/shared-memory.js';
import { ClientPpp, KEYS, type Mode } from './client-ppp.js';
import { cutByTheRules, Flows, hasData, judge, type Sending, sendings } from './uplink.js';

/** Where the payload of a GRE packet begins in its slot: IP header, and GRE's with both numbers. */
const PAYLOAD_AT = 36;
const SLOT = 2060;
const CLIENT = 0xc000_0202;
const OFFLOAD_HEADER = 10;

/** An anonymous file in memory stands for the TUN device: writes follow each other in it. */
const memfd: (name: string, flags: number) => number = libc.func('memfd_create', 'int', ['str', 'uint']);

interface Arrival {
  readonly number: number;
  readonly frame: Buffer;
}

/** The server's side. What Relay does between socket and port is done here without a socket and a clock. */
class Path {
  readonly #memory = new SharedMemory();
  readonly #buffers = new PacketBuffers(this.#memory);
  readonly #mppe = new Mppe(this.#memory);
  readonly #slots = new ReceiveSlots(this.#buffers);
  readonly #port = new TunPort({
    memory: this.#memory,
    buffers: this.#buffers,
    onEvent: (event) => {
      assert.equal(event.type, 'resetNeeded');
      this.needsReset = true;
    },
  });
  #sequence = new ReceiveSequence();
  #before = this.#counted();
  #tun = -1;
  now = 0;
  needsReset = false;
  /** The numbers of the packets that the port was given and has not dropped, in their order. */
  delivered: number[] = [];
  /** Those of packets that came after they had been given up, or could not be decrypted. */
  readonly refused = new Set<number>();
  readonly #numbers = new Map<number, number>();

  start(mode: Mode): void {
    this.#tun = memfd('tun', 0);
    assert.ok(this.#tun >= 0);
    this.#port.open(this.#tun);
    this.#port.setNetwork({ client: CLIENT, ipv6: true, mtu: 1400 });
    this.#port.setRequireEncryption(mode !== 'none');
    this.#mppe.start(KEYS, { bits: 128, stateless: mode === 'stateless' });
    this.#port.setEncryption(mode === 'none' ? null : this.#mppe);
    this.#sequence = new ReceiveSequence();
    this.#before = this.#counted();
    this.needsReset = false;
    this.delivered = [];
    this.refused.clear();
  }

  receive(batch: readonly Arrival[]): void {
    for (const [index, { frame }] of batch.entries()) {
      const at = this.#buffers.receiveSlotAt(this.#slots.of(index));
      this.#memory.octets.fill(0xee, at, at + SLOT).set(frame, at + PAYLOAD_AT);
    }
    for (const [index, { number, frame }] of batch.entries()) {
      const slot = this.#slots.of(index);
      const { payloadAt, payloadLength } = this.#slots;
      payloadAt[slot] = this.#buffers.receiveSlotAt(slot) + PAYLOAD_AT;
      payloadLength[slot] = frame.length;
      const verdict = this.#sequence.receive(number, slot, this.now);
      if (verdict === 'held') this.#slots.hold(index);
      if (verdict === 'held' || verdict === 'accepted') this.#numbers.set(slot, number);
      else if (verdict !== 'duplicate') this.refused.add(number);
      this.#deliver(slot);
    }
    this.#port.flush();
  }

  expire(): void {
    this.#sequence.expire(this.now);
    this.#deliver(-1);
    this.#port.flush();
  }

  #deliver(kept: number): void {
    const { released, releasedCount } = this.#sequence;
    for (const slot of released.subarray(0, releasedCount)) {
      const dropped = this.#counted().rxUndecryptable;
      assert.ok(this.#port.push(this.#slots.payloadAt[slot] ?? 0, this.#slots.payloadLength[slot] ?? 0, false));
      const number = this.#numbers.get(slot) ?? -1;
      if (this.#counted().rxUndecryptable === dropped) this.delivered.push(number);
      else this.refused.add(number);
      if (slot !== kept) this.#slots.release(slot);
    }
    this.#sequence.releasedCount = 0;
  }

  #counted(): RelayCounters {
    const counters = noneCounted();
    this.#port.count(counters);
    return counters;
  }

  /** What was written, write by write, and how many packets were counted in each way. */
  end(): { readonly writes: Buffer[]; readonly counted: (name: keyof RelayCounters) => number } {
    const all = Buffer.alloc(fstatSync(this.#tun).size);
    readSync(this.#tun, all, 0, all.length, 0);
    closeSync(this.#tun);
    const writes: Buffer[] = [];
    for (let at = 0; at < all.length; at += writes.at(-1)?.length ?? 0) {
      const ip = all.subarray(at + OFFLOAD_HEADER);
      const length = ip.readUInt8(0) >> 4 === 4 ? ip.readUInt16BE(2) : 40 + ip.readUInt16BE(4);
      assert.ok(length <= ip.length, 'a write is shorter than its packet');
      writes.push(all.subarray(at, at + OFFLOAD_HEADER + length));
    }
    const after = this.#counted();
    assert.equal(this.#sequence.held, 0);
    return { writes, counted: (name) => after[name] - this.#before[name] };
  }
}

const client = new ClientPpp();
const path = new Path();

/** Sends everything; after `pauses` of packets the network hands over what has come, and so much time has passed. */
function run(mode: Mode, all: readonly Sending[], pauses: readonly (readonly [packets: number, ms: number])[]): void {
  const flows = new Flows();
  const sent: Buffer[] = [];
  const underWay: (Arrival & { readonly due: number })[] = [];
  client.start(mode);
  path.start(mode);
  const handOver = (until: number, ms: number): void => {
    const due = underWay.filter((each) => each.due <= until).toSorted((one, other) => one.due - other.due);
    underWay.splice(0, underWay.length, ...underWay.filter((each) => each.due > until));
    for (let from = 0; from < due.length; from += RECEIVE_BATCH) path.receive(due.slice(from, from + RECEIVE_BATCH));
    path.now += ms;
    path.expire();
    if (path.needsReset) client.reset();
    path.needsReset = false;
  };
  let [pause, left] = [0, pauses[0]?.[0] ?? 1];
  for (const [number, sending] of all.entries()) {
    const packet = flows.packet(sending);
    const frame = client.frame(packet);
    sent.push(packet);
    for (const delay of sending.delays) underWay.push({ number, frame, due: number + delay });
    left -= 1;
    if (left > 0) continue;
    handOver(number, pauses[pause % pauses.length]?.[1] ?? 0);
    pause += 1;
    left = pauses[pause % pauses.length]?.[0] ?? 1;
  }
  handOver(Number.POSITIVE_INFINITY, 2 * MAX_WAIT);
  const { delivered } = path;
  const { writes, counted } = path.end();
  for (const [index, number] of delivered.entries()) {
    assert.ok(number > (delivered[index - 1] ?? -1), `packet ${number} was delivered after ${delivered[index - 1]}`);
  }
  const packets = delivered.map((number) => sent[number] ?? Buffer.alloc(0));
  const missing = judge(packets, writes.flatMap(cutByTheRules));
  assert.deepEqual(missing.filter(hasData), [], 'data is missing');
  assert.deepEqual(
    ['rxSuperseded', 'rxTunRefused', 'rxMalformed', 'rxNotReady', 'rxUnencrypted'].map((name) =>
      counted(name as keyof RelayCounters),
    ),
    [missing.length, 0, 0, 0, 0],
  );
  if (mode !== 'stateful') assert.equal(counted('rxUndecryptable'), 0);
  const known = new Set([...delivered, ...path.refused]);
  for (const [number, { delays }] of all.entries()) {
    if (delays.length > 0) assert.ok(known.has(number), `packet ${number} has arrived and is forgotten`);
  }
}

const pauses = fc.array(fc.tuple(fc.integer({ min: 1, max: 48 }), fc.constantFrom(0, 0, 0, 1, 25, 2 * MAX_WAIT)), {
  minLength: 1,
  maxLength: 12,
});

for (const mode of ['none', 'stateless', 'stateful'] as const) {
  describe(`from the client to the TUN device, MPPE ${mode}`, () => {
    test('what is delivered comes out, and nothing else', () => {
      fc.assert(
        fc.property(sendings(100, 40), pauses, (all, when) => run(mode, all, when)),
        { numRuns: 100 },
      );
    });

    test('the same with a reorder window that is full', () => {
      fc.assert(
        fc.property(
          sendings(WINDOW, 2 * WINDOW),
          fc.integer({ min: WINDOW - 40, max: WINDOW + 40 }),
          pauses,
          (all, delay, when) => {
            const late: Sending = { flow: 0, kind: 'data', delays: [delay] };
            const rest: Sending[] = Array.from({ length: WINDOW + 60 }, (_, index) => ({
              flow: index % 3,
              kind: 'data',
              delays: [0],
            }));
            run(mode, [{ ...late, delays: [0] }, late, ...rest, ...all], when);
          },
        ),
        { numRuns: 5 },
      );
    });
  });
}
