/** UDP packets of the client, which the inside host returns. */
import { addressNumber } from '../../../src/config/addresses.js';
import { INSIDE_ADDRESS } from '../network.js';
import { writeIpv4Header } from './line.js';
import { IP_HEADER, OFFLOAD_HEADER, SOURCE_AT, Traffic, type TrafficOptions } from './traffic.js';

const UDP = 17;
const UDP_HEADER = 8;
const HEADERS = IP_HEADER + UDP_HEADER;
/** Each packet has its number after the headers. */
const NUMBER = 4;
const WORD = 2 ** 32;

const insideAddress = addressNumber(INSIDE_ADDRESS) ?? 0;

export class Echo extends Traffic {
  constructor(options: TrafficOptions) {
    super(options);
    const { templateAt: at, size } = this;
    const udp = at + IP_HEADER;
    writeIpv4Header(this.view, at, size, UDP, this.session.address, insideAddress);
    this.view.setUint32(udp, (1000 << 16) | 1000);
    this.view.setUint32(udp + 4, (size - IP_HEADER) << 16);
    this.fill(udp + UDP_HEADER, size - HEADERS);
  }

  protected launch(): void {
    this.octets.copyWithin(this.packetAt, this.templateAt, this.templateAt + this.size);
    this.view.setUint32(this.packetAt + HEADERS, this.flight.sent % WORD);
    this.session.sendPacket(this.packetAt, this.size);
    this.flight.sent += 1;
  }

  /** The inside host returns what comes, right or wrong: the client judges it. */
  protected drain(): void {
    const ip = this.insideAt + OFFLOAD_HEADER;
    for (let count = 0; count < this.window; count += 1) {
      const length = this.readInside();
      if (length <= 0) break;
      if (!this.isLoad(ip, UDP)) continue;
      const source = this.view.getUint32(ip + SOURCE_AT);
      this.view.setUint32(ip + SOURCE_AT, this.view.getUint32(ip + SOURCE_AT + 4));
      this.view.setUint32(ip + SOURCE_AT + 4, source);
      this.writeInside(length);
    }
    this.line.drain(this.window);
  }

  protected recvPacket(at: number, length: number): void {
    if (!this.isLoad(at, UDP)) return;
    const [udp, sent] = [at + IP_HEADER, this.templateAt + IP_HEADER];
    const rest = this.size - HEADERS - NUMBER;
    if (length !== this.size || !this.hasIpHeader(at, length, insideAddress, this.session.address)) {
      this.wrong.add('echo: IP header or length', at, length);
    } else if (!this.isSame(udp, sent, UDP_HEADER)) {
      this.wrong.add('echo: UDP header', at, length);
    } else if (!this.isSame(udp + UDP_HEADER + NUMBER, sent + UDP_HEADER + NUMBER, rest)) {
      const differs = this.firstDifference(udp + UDP_HEADER + NUMBER, sent + UDP_HEADER + NUMBER, rest);
      this.wrong.add('echo: payload', at, length, differs);
    } else if (!this.flight.arrive(this.view.getUint32(at + HEADERS))) {
      this.wrong.add(`echo: number, after ${this.flight.next - 1} of ${this.flight.sent}`, at, length);
    }
  }
}
