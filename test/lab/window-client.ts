/**
 * A client that only sends, and keeps to its window (RFC 2637 §4.2): how many packets a server acknowledges in a second.
 *
 *     window-client.js LOCAL USER PASSWORD WINDOW OCTETS SECONDS
 *
 * Calls 192.0.2.1 from LOCAL without MPPE, sends PPP frames of OCTETS octets to an address that drops them, of which at most
 * WINDOW are unacknowledged, and prints the acknowledged packets per second. It is the server's own relay with another
 * port, so the window shrinks and grows as §4.2 says.
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { PacketBuffers } from '../../src/gre/packet-buffers.js';
import type { Port } from '../../src/gre/port.js';
import { Relay } from '../../src/gre/relay.js';
import { responseV2 } from '../../src/mschap/ms-chap-v2.js';
import { ntHash } from '../../src/mschap/password-hash.js';
import { monotonicMs } from '../../src/sys/clock.js';
import { close } from '../../src/sys/descriptor.js';
import { libc } from '../../src/sys/libc.js';
import { SharedMemory } from '../../src/sys/shared-memory.js';
import { CALL, Client } from '../process/support/client.js';
import { SERVER_ADDRESS } from '../process/support/server.js';
import { Client as Ppp } from '../unit/ppp/engine/peer.js';

const CALL_ID = 0x317d;
const WARM_MS = 1000;
/** Where the scenario has a route that drops everything. */
const NOWHERE = [203, 0, 113, 9];
const PPP_HEADER = [0xff, 0x03, 0x00, 0x21];
const IPV4_HEADER = 20;
const EXPERIMENT = 253;

const [local = '', user = '', password = '', window = '', octets = '', seconds = ''] = process.argv.slice(2);

const eventfd: (count: number, flags: number) => number = libc.func('eventfd', 'int', ['uint32_t', 'int']);

/** Control frames, and from `start` on the same data frame without end. */
class Source implements Port {
  readonly fd = eventfd(0, 0);
  readonly isBlocked = false;
  readonly #buffers: PacketBuffers;
  readonly #controls: Uint8Array[] = [];
  #data: Uint8Array | null = null;
  #filled = 0;

  constructor(buffers: PacketBuffers) {
    this.#buffers = buffers;
  }

  queue(frame: Uint8Array): void {
    this.#controls.push(Uint8Array.from(frame));
  }

  start(frame: Uint8Array): void {
    this.#data = frame;
    // Readable from now on: nothing reads it.
    writeSync(this.fd, new BigUint64Array([1n]));
  }

  makeRoom(): boolean {
    return true;
  }

  push(): boolean {
    return true;
  }

  flush(): void {}

  receive(): 'some' | 'none' {
    const control = this.#controls.shift();
    if (control !== undefined) this.#fill(control);
    else if (this.#data === null) return 'none';
    else while (this.#filled < this.#buffers.frames.capacity) this.#fill(this.#data);
    return 'some';
  }

  #fill(frame: Uint8Array): void {
    const { memory, frames } = this.#buffers;
    memory.octets.set(frame, this.#buffers.frameAt(this.#filled));
    memory.words[(frames.lengthsAt >> 2) + this.#filled] = frame.length;
    this.#filled += 1;
  }

  get hasUnread(): boolean {
    return this.#controls.length > 0;
  }

  get frameCount(): number {
    return this.#filled;
  }

  takeFrames(): void {
    this.#filled = 0;
  }

  count(): void {}

  close(): void {
    close(this.fd);
  }
}

/** An IPv4 packet (RFC 791 §3.1) of an experimental protocol, in a PPP frame of that length. */
function dataFrame(source: string, length: number): Uint8Array {
  const packet = Buffer.alloc(length - PPP_HEADER.length);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt8(64, 8);
  packet.writeUInt8(EXPERIMENT, 9);
  packet.set(source.split('.').map(Number), 12);
  packet.set(NOWHERE, 16);
  let sum = 0;
  for (let at = 0; at < IPV4_HEADER; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  packet.writeUInt16BE(~sum & 0xffff, 10);
  return Buffer.concat([Uint8Array.from(PPP_HEADER), packet]);
}

const control = await Client.start(local);
control.answersEchoes = true;
control.send({ ...CALL, callId: CALL_ID });
const reply = await control.next('OutgoingCallReply');
if (reply.resultCode !== 1) throw new Error(`the call was refused with error ${reply.errorCode}`);

const hash = ntHash(password);
const ppp = new Ppp({
  name: user,
  mru: 1400,
  dns: false,
  eager: true,
  mppe: null,
  noCcp: true,
  respond: (challenge) =>
    responseV2({ ntHash: hash, name: Buffer.from(user), challenge, clientChallenge: randomBytes(16) }),
});

const buffers = new PacketBuffers(new SharedMemory());
const source = new Source(buffers);
const relay = new Relay({
  localAddress: local,
  peerAddress: SERVER_ADDRESS,
  localCallId: CALL_ID,
  peerCallId: reply.callId,
  peerWindow: Math.min(Number(window), reply.receiveWindowSize),
  window: 'enforce',
  buffers,
  port: source,
  onEvent: (event) => {
    if (event.type === 'ended') throw new Error(`the relay has ended: ${JSON.stringify(event.failure)}`);
    if (event.type !== 'control' || event.direction === 'toClient') return;
    ppp.recv(Uint8Array.from(event.frame), monotonicMs());
    drive();
  },
});
ppp.onFrame = (frame) => {
  source.queue(frame);
  relay.sendQueued();
};

let timer: NodeJS.Timeout | undefined;
let isUp = (): void => undefined;
const up = new Promise<void>((resolve) => (isUp = resolve));

/** After every call of PPP. */
function drive(): void {
  if (ppp.ipcp.isOpen) isUp();
  clearTimeout(timer);
  if (ppp.deadline === null) return;
  const tick = (): void => {
    ppp.tick(monotonicMs());
    drive();
  };
  timer = setTimeout(tick, Math.max(1, ppp.deadline - monotonicMs()));
}

ppp.start(monotonicMs());
drive();

function acknowledged(): number {
  const { txPackets, outstanding } = relay.counters();
  return txPackets - outstanding;
}

await up;
source.start(dataFrame(ppp.ipcp.exchange.own.address ?? '', Number(octets)));
await wait(WARM_MS);
const [began, before] = [monotonicMs(), acknowledged()];
await wait(Number(seconds) * 1000);
console.log(Math.round(((acknowledged() - before) * 1000) / (monotonicMs() - began)));
relay.close();
control.send({ type: 'StopControlConnectionRequest', reason: 1 });
await control.closed;
process.exit();
