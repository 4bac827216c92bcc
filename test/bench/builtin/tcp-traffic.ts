/** TCP segments in one direction. Payloads differ in the segment's number, with which they begin. */
import { addressNumber } from '../../../src/config/addresses.js';
import { INSIDE_ADDRESS } from '../network.js';
import { folded, sumOf, writeIpv4Header } from './line.js';
import { IP_HEADER, MAX_PACKET, OFFLOAD_HEADER, SOURCE_AT, Traffic, type TrafficOptions } from './traffic.js';

const TCP = 6;
const TCP_HEADER = 20;
const TCP_SEQUENCE_AT = 4;
const TCP_SUM_AT = 16;
const HEADERS = IP_HEADER + TCP_HEADER;
const NUMBER = 4;
const PORTS = (1000 << 16) | 1000;
/** Data offset of 5 words, ACK, and the window. */
const FLAGS_AND_WINDOW = 0x5010_ffff;
const NEEDS_SUM = 1;
const TYPE_TCP4 = 1;
const SEGMENT_SIZE_AT = 4;
/** A client acknowledges after so many packets. */
const ENOUGH = 16;
const WORD = 2 ** 32;

const insideAddress = addressNumber(INSIDE_ADDRESS) ?? 0;

abstract class TcpTraffic extends Traffic {
  protected readonly payload = this.size - HEADERS;
  readonly #payloadAt: number;
  /** Of a payload, without its number. */
  readonly #payloadSum: number;

  constructor(options: TrafficOptions) {
    super(options);
    this.#payloadAt = this.memory.take(this.payload);
    this.fill(this.#payloadAt, this.payload);
    this.#payloadSum = sumOf(this.view, this.#payloadAt + NUMBER, this.payload - NUMBER);
  }

  /** Headers of a packet with `payload` octets, without sequence number and TCP's checksum. */
  protected writeHeaders(at: number, payload: number, from: number, to: number): void {
    const tcp = at + IP_HEADER;
    writeIpv4Header(this.view, at, HEADERS + payload, TCP, from, to);
    this.view.setUint32(tcp, PORTS);
    this.view.setUint32(tcp + 8, 1);
    this.view.setUint32(tcp + 12, FLAGS_AND_WINDOW);
    this.view.setUint32(tcp + TCP_SUM_AT, 0);
  }

  /** What does not differ between segments. */
  protected writePayload(at: number): void {
    this.octets.copyWithin(at, this.#payloadAt, this.#payloadAt + this.payload);
  }

  /** Numbers the packet at `at`, which has `segments` segments. */
  protected number(at: number, segments: number): void {
    const { sent } = this.flight;
    this.view.setUint32(at + IP_HEADER + TCP_SEQUENCE_AT, (sent * this.payload) % WORD);
    for (let index = 0; index < segments; index += 1) {
      this.view.setUint32(at + HEADERS + index * this.payload, (sent + index) % WORD);
    }
  }

  /** Of pseudo-header, TCP header and payload of a packet with one segment, as they stand. */
  protected segmentSum(at: number): number {
    const ofHeaders = this.pseudoSum(at, TCP_HEADER + this.payload) + sumOf(this.view, at + IP_HEADER, TCP_HEADER);
    return folded(ofHeaders + sumOf(this.view, at + HEADERS, NUMBER) + this.#payloadSum);
  }

  protected pseudoSum(at: number, tcpLength: number): number {
    return folded(sumOf(this.view, at + SOURCE_AT, 8) + TCP + tcpLength);
  }

  /**
   * Takes the packet of `length` octets that has arrived at `at`, of one segment or of several. `isPartial`: its TCP
   * checksum is the pseudo-header's sum alone, as the kernel leaves it where a device does the rest.
   */
  protected arrive(at: number, length: number, from: number, to: number, isPartial: boolean): void {
    const segments = (length - HEADERS) / this.payload;
    const number = this.#numberAt(at);
    if (!Number.isInteger(segments) || !this.hasIpHeader(at, length, from, to)) {
      this.wrong.add('TCP: IP header or length', at, length);
    } else if (!Number.isInteger(number) || !this.#hasTcpHeader(at)) {
      this.wrong.add('TCP: header', at, length);
    } else if (this.#hasPayloads(at, length, number, segments)) {
      if (isPartial || segments > 1 ? !this.#hasPartialSum(at, length) : this.segmentSum(at) !== 0xffff) {
        this.wrong.add('TCP: checksum', at, length);
      } else if (!this.flight.arrive(number, segments)) {
        const { next, sent } = this.flight;
        this.wrong.add(`TCP: number ${number}, after ${next - 1} of ${sent}`, at, length);
      }
    }
  }

  /** Of ports, acknowledgment number, flags and window. */
  #hasTcpHeader(at: number): boolean {
    const tcp = at + IP_HEADER;
    return (
      this.view.getUint32(tcp) === PORTS &&
      this.view.getUint32(tcp + 8) === 1 &&
      this.view.getUint32(tcp + 12) === FLAGS_AND_WINDOW &&
      this.view.getUint16(tcp + TCP_SUM_AT + 2) === 0
    );
  }

  /** The number of the first segment, which is a fraction if its sequence number is no segment's. */
  #numberAt(at: number): number {
    const { next } = this.flight;
    const ahead = (this.view.getUint32(at + IP_HEADER + TCP_SEQUENCE_AT) - next * this.payload) | 0;
    return next + ahead / this.payload;
  }

  /** Whether the segments are whole, and in their order; counts the packet as wrong otherwise. */
  #hasPayloads(at: number, length: number, number: number, segments: number): boolean {
    const rest = this.payload - NUMBER;
    for (let index = 0; index < segments; index += 1) {
      const payload = at + HEADERS + index * this.payload;
      if (this.view.getUint32(payload) !== (number + index) % WORD) {
        this.wrong.add(`TCP: segment ${index} of ${segments} has another's payload`, at, length, payload);
        return false;
      }
      if (!this.isSame(payload + NUMBER, this.#payloadAt + NUMBER, rest)) {
        const differs = this.firstDifference(payload + NUMBER, this.#payloadAt + NUMBER, rest);
        this.wrong.add(`TCP: payload of segment ${index} of ${segments}`, at, length, differs);
        return false;
      }
    }
    return true;
  }

  #hasPartialSum(at: number, length: number): boolean {
    return this.view.getUint16(at + IP_HEADER + TCP_SUM_AT) === this.pseudoSum(at, length - IP_HEADER);
  }
}

/** TCP segments of the client to the inside host; those that follow each other may be joined on the way. */
export class Uplink extends TcpTraffic {
  constructor(options: TrafficOptions) {
    super(options);
    this.writeHeaders(this.templateAt, this.payload, this.session.address, insideAddress);
    this.writePayload(this.templateAt + HEADERS);
  }

  protected launch(): void {
    const { packetAt: at } = this;
    this.octets.copyWithin(at, this.templateAt, this.templateAt + this.size);
    this.number(at, 1);
    this.view.setUint16(at + IP_HEADER + TCP_SUM_AT, ~this.segmentSum(at));
    this.session.sendPacket(at, this.size);
    this.flight.sent += 1;
  }

  protected drain(): void {
    this.line.drain(this.window);
    const ip = this.insideAt + OFFLOAD_HEADER;
    for (let count = 0; count < this.window; count += 1) {
      const length = this.readInside();
      if (length <= 0) return;
      if (!this.isLoad(ip, TCP)) continue;
      const isPartial = ((this.octets[this.insideAt] ?? 0) & NEEDS_SUM) !== 0;
      this.arrive(ip, length, this.session.address, insideAddress, isPartial);
    }
  }

  protected recvPacket(at: number, length: number): void {
    if (this.isLoad(at, TCP)) this.wrong.add('uplink: TCP to the client', at, length);
  }
}

/** Super packets of the inside host, which arrive at the client as segments. */
export class Downlink extends TcpTraffic {
  /** Segments of a super packet. */
  readonly #burst = Math.floor((MAX_PACKET - HEADERS) / this.payload);

  constructor(options: TrafficOptions) {
    super(options);
    const ip = this.insideAt + OFFLOAD_HEADER;
    const total = this.#burst * this.payload;
    this.writeHeaders(ip, total, insideAddress, this.session.address);
    this.view.setUint16(ip + IP_HEADER + TCP_SUM_AT, this.pseudoSum(ip, TCP_HEADER + total));
    for (let at = 0; at < total; at += this.payload) this.writePayload(ip + HEADERS + at);
    const header = this.insideAt;
    this.octets[header] = NEEDS_SUM;
    this.octets[header + 1] = TYPE_TCP4;
    this.view.setUint16(header + 2, HEADERS, true);
    this.view.setUint16(header + SEGMENT_SIZE_AT, this.payload, true);
    this.view.setUint16(header + 6, IP_HEADER, true);
    this.view.setUint16(header + 8, TCP_SUM_AT, true);
  }

  protected launch(): void {
    this.number(this.insideAt + OFFLOAD_HEADER, this.#burst);
    this.writeInside(HEADERS + this.#burst * this.payload);
    this.flight.sent += this.#burst;
  }

  protected drain(): void {
    for (let count = 0; count < this.window; count += ENOUGH) {
      const came = this.line.drain(ENOUGH);
      this.line.acknowledge(this.session.call, ENOUGH);
      if (came < ENOUGH) return;
    }
  }

  protected recvPacket(at: number, length: number): void {
    if (!this.isLoad(at, TCP)) return;
    if (length === this.size) this.arrive(at, length, insideAddress, this.session.address, false);
    else this.wrong.add('TCP: length', at, length);
  }
}
