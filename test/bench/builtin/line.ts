/**
 * The clients' GRE of the load generator: packets through a TUN device whose other end is the server's namespace, so
 * that no client's network stack takes part. TCP is passed on to a second TUN device, behind which the clients'
 * namespace has its own stack. Nothing is allocated per packet.
 */
import {
  decodeHeader,
  emptyHeader,
  encodeAcknowledgment,
  encodeDataHeader,
  MAX_HEADER,
} from '../../../src/gre/header.js';
import { read, write } from '../../../src/sys/batch-io.js';
import { checked, libc } from '../../../src/sys/libc.js';
import { type Boxed, boxed, SharedMemory } from '../../../src/sys/shared-memory.js';
import type { Network } from '../network.js';
import { openTunEnd } from './tun-end.js';
import { WrongPackets } from './wrong-packets.js';

const IP_HEADER = 20;
const IPPROTO_GRE = 47;
const IPPROTO_AT = 9;
const MAX_PACKET = 65_536;
/** Octets that must be free before a frame that is sent. */
export const FRAME_HEADROOM = IP_HEADER + MAX_HEADER;
/** struct pollfd (poll.h). */
const POLLFD = 8;
const POLLIN = 1;

const poll: (descriptors: number, count: number, timeout: number) => number = libc.func('poll', 'int', [
  'uintptr_t',
  'uint64_t',
  'int',
]);

/** One client's call. */
export interface Call {
  readonly address: number;
  readonly callId: number;
  /** The server's; 0 before it has replied. */
  peerCallId: number;
  sequence: number;
  /** The last number received; -1: none. */
  received: number;
  acknowledged: number;
  /** A PPP frame in the shared memory, valid during the call. */
  readonly recvFrame: (at: number, length: number) => void;
}

export class Line {
  readonly memory = new SharedMemory();
  readonly wrong = new WrongPackets(this.memory.octets);
  readonly #octets = this.memory.octets;
  readonly #view = this.memory.view;
  readonly #server: number;
  readonly #clients: number;
  readonly #serverAddress: number;
  readonly #calls = new Map<number, Call>();
  readonly #header = emptyHeader();
  readonly #receiveAt = this.memory.take(MAX_PACKET);
  readonly #acknowledgmentEnd = this.memory.take(FRAME_HEADROOM) + FRAME_HEADROOM;
  readonly #pollAt = this.memory.take(2 * POLLFD);
  /** Kernel addresses: of receiveAt, of pollAt. */
  readonly #addresses: Boxed = boxed([this.memory.address + this.#receiveAt, this.memory.address + this.#pollAt]);
  /** Kernel address by offset: few offsets are sent from. */
  readonly #sendAddresses = new Map<number, number>();

  constructor(network: Pick<Network, 'server' | 'clients'>, serverAddress: number) {
    this.#server = openTunEnd(network.server, 'server');
    this.#clients = openTunEnd(network.clients, 'clients');
    this.#serverAddress = serverAddress;
  }

  get descriptors(): readonly number[] {
    return [this.#server, this.#clients];
  }

  add(call: Call): void {
    this.#calls.set(call.callId, call);
  }

  /** Sends the PPP frame at `at`, with an acknowledgment of what has come. */
  send(call: Call, at: number, length: number): void {
    const acknowledgment = call.received < 0 ? null : call.received;
    const greAt = encodeDataHeader(this.#view, at, length, call.peerCallId, call.sequence, acknowledgment);
    call.sequence += 1;
    if (acknowledgment !== null) call.acknowledged = acknowledgment;
    this.#sendIp(call, greAt, at + length - greAt);
  }

  /** Acknowledges what has come, if that are at least `enough` packets. */
  acknowledge(call: Call, enough: number): void {
    if (call.received - call.acknowledged < enough) return;
    call.acknowledged = call.received;
    const at = encodeAcknowledgment(this.#view, this.#acknowledgmentEnd, call.peerCallId, call.received);
    this.#sendIp(call, at, this.#acknowledgmentEnd - at);
  }

  /** Handles at most `most` packets of the server; returns how many there were. */
  drain(most: number): number {
    let came = 0;
    while (came < most) {
      const length = read(this.#server, this.#addresses[0] ?? 0, MAX_PACKET);
      if (length <= 0) break;
      came += 1;
      const at = this.#receiveAt;
      if (this.#octets[at + IPPROTO_AT] === IPPROTO_GRE) this.#recvGre(at, length);
      else if (this.#isIpv4(at)) write(this.#clients, this.#addresses[0] ?? 0, length);
    }
    return came;
  }

  /** Passes on what the clients' stack sends. */
  drainClients(): void {
    for (;;) {
      const length = read(this.#clients, this.#addresses[0] ?? 0, MAX_PACKET);
      if (length <= 0) return;
      if (this.#isIpv4(this.#receiveAt)) write(this.#server, this.#addresses[0] ?? 0, length);
    }
  }

  /** Until the server has sent something or `other` can be read, at most `milliseconds`. */
  wait(other: number, milliseconds: number): void {
    const words = this.memory.words;
    for (const [index, fd] of [this.#server, other].entries()) {
      words[(this.#pollAt >> 2) + index * 2] = fd;
      words[(this.#pollAt >> 2) + index * 2 + 1] = POLLIN;
    }
    poll(this.#addresses[1] ?? 0, 2, milliseconds);
  }

  #isIpv4(at: number): boolean {
    return (this.#octets[at] ?? 0) >> 4 === 4;
  }

  #recvGre(at: number, length: number): void {
    const greAt = at + IP_HEADER;
    const call = this.#calls.get(this.#view.getUint16(greAt + 6));
    const header = this.#header;
    if (call === undefined || decodeHeader(this.#view, greAt, at + length, call.callId, header) !== null) return;
    if (!header.hasSequence) return;
    // Nothing on the way changes the order of packets.
    if (header.sequence <= call.received) {
      this.wrong.add(`GRE: number ${header.sequence} after ${call.received}`, at, length);
      return;
    }
    call.received = header.sequence;
    call.recvFrame(header.payloadAt, header.payloadLength);
  }

  #sendIp(call: Call, greAt: number, length: number): void {
    const at = greAt - IP_HEADER;
    writeIpv4Header(this.#view, at, IP_HEADER + length, IPPROTO_GRE, call.address, this.#serverAddress);
    checked(write(this.#server, this.#addressOf(at), IP_HEADER + length), 'write to the TUN device');
  }

  #addressOf(at: number): number {
    let address = this.#sendAddresses.get(at);
    if (address === undefined) {
      address = this.memory.address + at;
      this.#sendAddresses.set(at, address);
    }
    return address;
  }
}

/** Without options, not to be fragmented, complete with its checksum. */
export function writeIpv4Header(
  view: DataView,
  at: number,
  length: number,
  protocol: number,
  from: number,
  to: number,
): void {
  view.setUint32(at, 0x45000000 | length);
  view.setUint32(at + 4, 0x4000);
  view.setUint32(at + 8, (64 << 24) | (protocol << 16));
  view.setUint32(at + 12, from);
  view.setUint32(at + 16, to);
  view.setUint16(at + 10, ~folded(sumOf(view, at, IP_HEADER)));
}

/** The sum of the 16-bit words (RFC 1071), not folded. `length` is even. */
export function sumOf(view: DataView, at: number, length: number): number {
  let sum = 0;
  for (let each = at; each < at + length; each += 2) sum += view.getUint16(each);
  return sum;
}

export function folded(sum: number): number {
  let rest = sum;
  while (rest > 0xffff) rest = (rest & 0xffff) + (rest >>> 16);
  return rest;
}
