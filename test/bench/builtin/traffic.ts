/**
 * The packets of the load, through the tunnel and the server's forwarding. `size` is that of the PPP frames from the
 * client, as in load.c. Every packet is checked octet by octet, but for what forwarding changes.
 */
import { addressNumber } from '../../../src/config/addresses.js';
import { read, write } from '../../../src/sys/batch-io.js';
import { monotonicMs } from '../../../src/sys/clock.js';
import { checked } from '../../../src/sys/libc.js';
import { type Boxed, boxed, type SharedMemory } from '../../../src/sys/shared-memory.js';
import { INSIDE_ADDRESS } from '../network.js';
import { folded, type Line, sumOf, writeIpv4Header } from './line.js';
import { PACKET_HEADROOM, PPP_HEADER, type Session } from './session.js';
import type { Counted } from './slices.js';

const IP_HEADER = 20;
const SOURCE_AT = 12;
const UDP = 17;
const UDP_HEADER = 8;
const TCP = 6;
const TCP_HEADER = 20;
const TCP_SUM_AT = 16;
const HEADERS = IP_HEADER + TCP_HEADER;
const ACK_FLAG = 0x10;
/** struct virtio_net_hdr (linux/virtio_net.h), little-endian. */
const OFFLOAD_HEADER = 10;
const NEEDS_SUM = 1;
const TYPE_TCP4 = 1;
const SEGMENT_SIZE_AT = 4;
const MAX_PACKET = 65_535;
/** A client acknowledges after so many packets. */
const ENOUGH = 16;
const WAIT_MS = 10;
/** After this silence what is under way counts as lost. */
const STALLED_MS = 200;
const WORD = 2 ** 32;

export interface TrafficOptions {
  readonly line: Line;
  readonly session: Session;
  /** The TUN device of the host behind the server. */
  readonly inside: number;
  /** Octets of a PPP frame. */
  readonly size: number;
  /** Packets under way. */
  readonly window: number;
}

export abstract class Traffic {
  protected readonly line: Line;
  protected readonly session: Session;
  protected readonly memory: SharedMemory;
  protected readonly octets: Buffer;
  protected readonly view: DataView;
  protected readonly size: number;
  protected readonly window: number;
  /** An IP packet of the client, as it is before it is sent; and where it is sent from. */
  protected readonly templateAt: number;
  protected readonly packetAt: number;
  protected readonly insideAt: number;
  protected received = 0;
  protected sent = 0;
  protected wrong = 0;
  #lost = 0;
  #arrivedAt = 0;
  #seen = 0;
  readonly #inside: number;
  readonly #insideAddress: Boxed;

  constructor({ line, session, inside, size, window }: TrafficOptions) {
    this.line = line;
    this.session = session;
    this.memory = line.memory;
    this.octets = Buffer.from(line.memory.wasm.buffer);
    this.view = line.memory.view;
    this.size = size - PPP_HEADER;
    this.window = window;
    this.templateAt = this.memory.take(this.size);
    this.packetAt = this.memory.take(PACKET_HEADROOM + this.size) + PACKET_HEADROOM;
    this.insideAt = this.memory.take(OFFLOAD_HEADER + MAX_PACKET);
    this.#inside = inside;
    this.#insideAddress = boxed([this.memory.address + this.insideAt]);
    session.recvPacket = (at, length) => this.recvPacket(at, length);
  }

  counted(): Counted {
    const { wrong, call } = this.session;
    return {
      packets: this.received,
      sent: this.sent,
      lost: this.#lost + call.lost,
      wrong: this.wrong + wrong + call.reordered,
    };
  }

  /** Sends a packet; true when one has arrived. */
  probe(): boolean {
    this.launch();
    this.drain();
    if (this.received > 0) return true;
    this.restart();
    return false;
  }

  begin(): void {
    this.#arrivedAt = monotonicMs();
  }

  /** Sends what the window allows, and receives. */
  step(): void {
    while (this.sent - this.received < this.window) this.launch();
    this.drain();
    if (this.received !== this.#seen) {
      this.#seen = this.received;
      this.#arrivedAt = monotonicMs();
      return;
    }
    this.line.wait(this.#inside, WAIT_MS);
    if (monotonicMs() - this.#arrivedAt < STALLED_MS) return;
    this.#lost += this.sent - this.received;
    this.restart();
    this.begin();
  }

  /** What is under way is not expected any more. */
  protected restart(): void {
    this.sent = this.received;
  }

  protected abstract launch(): void;
  protected abstract drain(): void;
  /** A packet from the server. */
  protected abstract recvPacket(at: number, length: number): void;

  /** Reads a packet to the inside host, whose offload header is then at `insideAt`; its length, or not more than 0. */
  protected readInside(): number {
    return read(this.#inside, this.#insideAddress[0] ?? 0, OFFLOAD_HEADER + MAX_PACKET) - OFFLOAD_HEADER;
  }

  /** Sends what is at `insideAt`. */
  protected writeInside(length: number): void {
    checked(
      write(this.#inside, this.#insideAddress[0] ?? 0, OFFLOAD_HEADER + length),
      'write to the TUN device of the inside host',
    );
  }

  protected isSame(one: number, other: number, length: number): boolean {
    return this.octets.compare(this.octets, one, one + length, other, other + length) === 0;
  }

  /** Octets as random as a benchmark needs. */
  protected fill(at: number, length: number): void {
    let state = 0x9e3779b9;
    for (let each = at; each < at + length; each += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      this.octets[each] = state >>> 24;
    }
  }
}

const insideAddress = addressNumber(INSIDE_ADDRESS) ?? 0;

/** UDP packets of the client, which the inside host returns. */
export class Echo extends Traffic {
  #next = 0;
  #expected = 0;

  constructor(options: TrafficOptions) {
    super(options);
    const { templateAt: at, size } = this;
    const udp = at + IP_HEADER;
    writeIpv4Header(this.view, at, size, UDP, this.session.address, insideAddress);
    this.view.setUint32(udp, (1000 << 16) | 1000);
    this.view.setUint32(udp + 4, (size - IP_HEADER) << 16);
    this.fill(udp + UDP_HEADER, size - IP_HEADER - UDP_HEADER);
  }

  protected launch(): void {
    this.octets.copyWithin(this.packetAt, this.templateAt, this.templateAt + this.size);
    this.view.setUint32(this.packetAt + IP_HEADER + UDP_HEADER, this.#next);
    this.#next = (this.#next + 1) % WORD;
    this.session.sendPacket(this.packetAt, this.size);
    this.sent += 1;
  }

  protected drain(): void {
    const ip = this.insideAt + OFFLOAD_HEADER;
    for (let count = 0; count < this.window; count += 1) {
      const length = this.readInside();
      if (length <= 0) break;
      if (length !== this.size || this.octets[ip + 9] !== UDP) continue;
      const source = this.view.getUint32(ip + SOURCE_AT);
      this.view.setUint32(ip + SOURCE_AT, this.view.getUint32(ip + SOURCE_AT + 4));
      this.view.setUint32(ip + SOURCE_AT + 4, source);
      this.writeInside(length);
    }
    this.line.drain(this.window);
  }

  protected recvPacket(at: number, length: number): void {
    const number = this.view.getUint32(at + IP_HEADER + UDP_HEADER);
    const rest = IP_HEADER + UDP_HEADER + 4;
    if (
      length !== this.size ||
      number < this.#expected ||
      !this.isSame(at + rest, this.templateAt + rest, this.size - rest)
    ) {
      this.wrong += 1;
      return;
    }
    this.#expected = number + 1;
    this.received += 1;
  }
}

/** TCP segments, whose sum is that of the payload and of the header. */
abstract class TcpTraffic extends Traffic {
  protected sequence = 0;
  protected expected = 0;
  protected readonly payload = this.size - HEADERS;

  /** Headers of a packet with `payload` octets, without TCP's checksum. */
  protected writeHeaders(at: number, payload: number, from: number, to: number): void {
    const tcp = at + IP_HEADER;
    writeIpv4Header(this.view, at, HEADERS + payload, TCP, from, to);
    this.view.setUint32(tcp, (1000 << 16) | 1000);
    this.view.setUint32(tcp + 8, 1);
    this.view.setUint32(tcp + 12, ((TCP_HEADER << 2) << 24) | (ACK_FLAG << 16) | 0xffff);
    this.view.setUint32(tcp + TCP_SUM_AT, 0);
  }

  /** Of pseudo-header and TCP header, as they stand. */
  protected headerSum(at: number, tcpLength: number): number {
    return this.pseudoSum(at, tcpLength) + sumOf(this.view, at + IP_HEADER, TCP_HEADER);
  }

  protected pseudoSum(at: number, tcpLength: number): number {
    return sumOf(this.view, at + SOURCE_AT, 8) + TCP + tcpLength;
  }

  protected override restart(): void {
    super.restart();
    this.expected = this.sequence;
  }
}

/** TCP segments of the client to the inside host; those that follow each other may be joined on the way. */
export class Uplink extends TcpTraffic {
  readonly #payloadSum: number;
  /** What a super packet's payload is. */
  readonly #payloadsAt: number;

  constructor(options: TrafficOptions) {
    super(options);
    const payloadAt = this.templateAt + HEADERS;
    this.writeHeaders(this.templateAt, this.payload, this.session.address, insideAddress);
    this.fill(payloadAt, this.payload);
    this.#payloadSum = sumOf(this.view, payloadAt, this.payload);
    this.#payloadsAt = this.memory.take(MAX_PACKET + this.payload);
    for (let at = 0; at < MAX_PACKET; at += this.payload) {
      this.octets.copyWithin(this.#payloadsAt + at, payloadAt, payloadAt + this.payload);
    }
  }

  protected launch(): void {
    const { packetAt: at } = this;
    const tcp = at + IP_HEADER;
    this.octets.copyWithin(at, this.templateAt, this.templateAt + this.size);
    this.view.setUint32(tcp + 4, this.sequence);
    this.view.setUint16(tcp + TCP_SUM_AT, ~folded(this.headerSum(at, TCP_HEADER + this.payload) + this.#payloadSum));
    this.session.sendPacket(at, this.size);
    this.sequence = (this.sequence + this.payload) % WORD;
    this.sent += 1;
  }

  protected drain(): void {
    this.line.drain(this.window);
    const ip = this.insideAt + OFFLOAD_HEADER;
    for (let count = 0; count < this.window; count += 1) {
      const length = this.readInside() - HEADERS;
      if (length + HEADERS <= 0) return;
      if (this.octets[ip + 9] !== TCP) continue;
      const segments = length / this.payload;
      const isExpected = this.view.getUint32(ip + IP_HEADER + 4) === this.expected;
      if (!isExpected || !Number.isInteger(segments) || !this.isSame(ip + HEADERS, this.#payloadsAt, length)) {
        this.wrong += 1;
        continue;
      }
      this.expected = (this.expected + length) % WORD;
      this.received += segments;
    }
  }

  protected recvPacket(): void {
    this.wrong += 1;
  }
}

/** Super packets of the inside host, which arrive at the client as segments. */
export class Downlink extends TcpTraffic {
  /** Segments of a super packet. */
  protected readonly burst = Math.floor((MAX_PACKET - HEADERS) / this.payload);
  readonly #payloadSum: number;

  constructor(options: TrafficOptions) {
    super(options);
    const payloadAt = this.templateAt + HEADERS;
    this.fill(payloadAt, this.payload);
    this.#payloadSum = sumOf(this.view, payloadAt, this.payload);
    const ip = this.insideAt + OFFLOAD_HEADER;
    const total = this.burst * this.payload;
    this.writeHeaders(ip, total, insideAddress, this.session.address);
    this.view.setUint16(ip + IP_HEADER + TCP_SUM_AT, folded(this.pseudoSum(ip, TCP_HEADER + total)));
    for (let at = 0; at < total; at += this.payload) {
      this.octets.copyWithin(ip + HEADERS + at, payloadAt, payloadAt + this.payload);
    }
    const header = this.insideAt;
    this.octets[header] = NEEDS_SUM;
    this.octets[header + 1] = TYPE_TCP4;
    this.view.setUint16(header + 2, HEADERS, true);
    this.view.setUint16(header + SEGMENT_SIZE_AT, this.payload, true);
    this.view.setUint16(header + 6, IP_HEADER, true);
    this.view.setUint16(header + 8, TCP_SUM_AT, true);
  }

  protected launch(): void {
    this.view.setUint32(this.insideAt + OFFLOAD_HEADER + IP_HEADER + 4, this.sequence);
    this.writeInside(HEADERS + this.burst * this.payload);
    this.sequence = (this.sequence + this.burst * this.payload) % WORD;
    this.sent += this.burst;
  }

  protected drain(): void {
    for (let count = 0; count < this.window; count += ENOUGH) {
      const came = this.line.drain(ENOUGH);
      this.line.acknowledge(this.session.call, ENOUGH);
      if (came < ENOUGH) return;
    }
  }

  protected recvPacket(at: number, length: number): void {
    const isExpected = length === this.size && this.view.getUint32(at + IP_HEADER + 4) === this.expected;
    const sum = folded(this.headerSum(at, TCP_HEADER + this.payload) + this.#payloadSum);
    if (!isExpected || sum !== 0xffff || !this.isSame(at + HEADERS, this.templateAt + HEADERS, this.payload)) {
      this.wrong += 1;
      return;
    }
    this.expected = (this.expected + this.payload) % WORD;
    this.received += 1;
  }
}
