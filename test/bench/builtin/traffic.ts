/**
 * The packets of the load, through the tunnel and the server's forwarding. `size` is that of the PPP frames from the
 * client, as in load.c. Every packet is checked octet by octet, but for what forwarding changes. A packet that comes
 * late, or after others were lost, is not wrong.
 */
import { read, write } from '../../../src/sys/batch-io.js';
import { monotonicMs } from '../../../src/sys/clock.js';
import { checked } from '../../../src/sys/libc.js';
import { type Boxed, boxed, type SharedMemory } from '../../../src/sys/shared-memory.js';
import { Flight } from './flight.js';
import { folded, type Line, sumOf } from './line.js';
import { PACKET_HEADROOM, PPP_HEADER, type Session } from './session.js';
import type { Counted } from './slices.js';
import type { WrongPackets } from './wrong-packets.js';

export const IP_HEADER = 20;
export const SOURCE_AT = 12;
const PROTOCOL_AT = 9;
/** struct virtio_net_hdr (linux/virtio_net.h), little-endian. */
export const OFFLOAD_HEADER = 10;
export const MAX_PACKET = 65_535;
const WAIT_MS = 10;
/** After this silence more is sent, whatever is under way. */
const STALLED_MS = 200;

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
  protected readonly flight = new Flight();
  protected readonly wrong: WrongPackets;
  /** An IP packet of the client, as it is before it is sent; and where it is sent from. */
  protected readonly templateAt: number;
  protected readonly packetAt: number;
  protected readonly insideAt: number;
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
    this.wrong = line.wrong;
    this.templateAt = this.memory.take(this.size);
    this.packetAt = this.memory.take(PACKET_HEADROOM + this.size) + PACKET_HEADROOM;
    this.insideAt = this.memory.take(OFFLOAD_HEADER + MAX_PACKET);
    this.#inside = inside;
    this.#insideAddress = boxed([this.memory.address + this.insideAt]);
    session.recvPacket = (at, length) => this.recvPacket(at, length);
  }

  counted(): Counted {
    const { received, sent, lost } = this.flight;
    return { packets: received, sent, lost, wrong: this.wrong.count };
  }

  /** Sends a packet; true when one has arrived. */
  probe(): boolean {
    this.launch();
    this.drain();
    this.flight.stopWaiting();
    return this.flight.received > 0;
  }

  begin(): void {
    this.#arrivedAt = monotonicMs();
  }

  /** Sends what the window allows, and receives. */
  step(): void {
    while (this.flight.underWay < this.window) this.launch();
    this.drain();
    if (this.flight.received !== this.#seen) {
      this.#seen = this.flight.received;
      this.#arrivedAt = monotonicMs();
      return;
    }
    this.line.wait(this.#inside, WAIT_MS);
    if (monotonicMs() - this.#arrivedAt < STALLED_MS) return;
    this.flight.stopWaiting();
    this.begin();
  }

  protected abstract launch(): void;
  protected abstract drain(): void;
  /** An IPv4 packet from the server. */
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

  /** Whether the packet is the load's. The server's own, such as ICMP, are not judged. */
  protected isLoad(at: number, protocol: number): boolean {
    return this.octets[at] === 0x45 && this.octets[at + PROTOCOL_AT] === protocol;
  }

  /** Whether the IP header is one of a packet of `length` octets that has been forwarded from `from` to `to`. */
  protected hasIpHeader(at: number, length: number, from: number, to: number): boolean {
    const { view } = this;
    return (
      view.getUint32(at) === (0x45000000 | length) &&
      view.getUint16(at + 6) === 0x4000 &&
      view.getUint32(at + SOURCE_AT) === from &&
      view.getUint32(at + SOURCE_AT + 4) === to &&
      folded(sumOf(view, at, IP_HEADER)) === 0xffff
    );
  }

  protected isSame(one: number, other: number, length: number): boolean {
    return this.octets.compare(this.octets, one, one + length, other, other + length) === 0;
  }

  /** Where `length` octets at `at` begin to differ from those at `original`, which they do. */
  protected firstDifference(at: number, original: number, length: number): number {
    let same = 0;
    while (same < length && this.octets[at + same] === this.octets[original + same]) same += 1;
    return at + same;
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
