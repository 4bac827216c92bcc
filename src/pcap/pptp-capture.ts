/**
 * Writes a PPTP session as a pcapng file: PPP frames as they pass the relay, without GRE, and control messages in TCP
 * segments made up for the file, one message per segment because Wireshark decodes only the first. Pure.
 */
import { inspectHeader } from '../pptp/header.js';
import { enhancedPacket, interfaceDescription, LINK_TYPE, sectionHeader } from './pcapng.js';
import { type Endpoint, type Sender, TcpStream } from './tcp-stream.js';

const [PPP, CONTROL] = [0, 1];
/** The first octet of LINK_TYPE.pppWithDirection. */
const FROM = { client: 0, server: 1 } as const satisfies Record<Sender, number>;
const DIRECTION = { client: 'received', server: 'sent' } as const;

export class PptpCapture {
  readonly #stream: TcpStream;
  /** For each side, the start of an incomplete message. */
  readonly #begun: Record<Sender, Uint8Array> = { client: Buffer.alloc(0), server: Buffer.alloc(0) };
  /** Lost frames not yet recorded in the file. */
  #lost = 0;

  constructor(client: Endpoint, server: Endpoint) {
    this.#stream = new TcpStream(client, server);
  }

  /** The start of the file. */
  header(application: string, session: string): Uint8Array {
    return Buffer.concat([
      sectionHeader(application),
      interfaceDescription({
        linkType: LINK_TYPE.pppWithDirection,
        name: `${session} PPP`,
        description: 'PPP frames in the tunnel, as pppd sends and receives them',
      }),
      interfaceDescription({
        linkType: LINK_TYPE.raw,
        name: `${session} control`,
        description: 'control messages; pptpd-ts made up their IP and TCP headers',
      }),
    ]);
  }

  /** Records that `count` frames are missing here. */
  addLost(count: number): void {
    this.#lost += count;
  }

  /** `time` in microseconds since the epoch. */
  ppp(time: number, sender: Sender, frame: Uint8Array): Uint8Array {
    return this.#packet(PPP, time, sender, Buffer.concat([Buffer.of(FROM[sender]), frame]));
  }

  /** Adds bytes of this side's control connection; an incomplete message is kept for the next call. */
  control(time: number, sender: Sender, bytes: Uint8Array): Uint8Array {
    const { messages, rest } = cut(Buffer.concat([this.#begun[sender], bytes]));
    this.#begun[sender] = rest;
    return Buffer.concat(messages.map((message) => this.#segments(time, sender, message)));
  }

  /** The messages that are incomplete at the end. */
  rest(time: number): Uint8Array {
    return Buffer.concat((['client', 'server'] as const).map((side) => this.#segments(time, side, this.#begun[side])));
  }

  #segments(time: number, sender: Sender, bytes: Uint8Array): Uint8Array {
    return Buffer.concat(
      this.#stream.packets(sender, bytes).map((packet) => this.#packet(CONTROL, time, sender, packet)),
    );
  }

  #packet(number: number, time: number, sender: Sender, bytes: Uint8Array): Uint8Array {
    const lost = this.#lost;
    this.#lost = 0;
    return enhancedPacket({ interface: number, time, direction: DIRECTION[sender], bytes, lost });
  }
}

/**
 * Splits into complete messages and a rest. Bytes that are not a message become one message, since a capture may begin
 * in the middle of one.
 */
function cut(bytes: Uint8Array): { messages: Uint8Array[]; rest: Uint8Array } {
  const messages: Uint8Array[] = [];
  for (let at = 0; ; ) {
    const rest = bytes.subarray(at);
    const header = inspectHeader(rest);
    if (header.kind === 'broken') return { messages: [...messages, rest], rest: Buffer.alloc(0) };
    if (header.kind === 'incomplete' || rest.length < header.length) return { messages, rest };
    messages.push(rest.subarray(0, header.length));
    at += header.length;
  }
}
