/**
 * A client's end of PPP, as far as a server can tell: LCP, MS-CHAPv2 (whose response is no real one), IPCP, and data.
 * Whatever stays unanswered is sent again, as the way there loses packets. Sends and hears frames without flags and FCS.
 */

const LCP = 0xc021;
const CHAP = 0xc223;
const IPCP = 0x8021;
const IPV4 = 0x0021;
const CODE = { request: 1, ack: 2, nak: 3, terminateRequest: 5, terminateAck: 6 } as const;
const CHAP_CODE = { challenge: 1, response: 2, success: 3 } as const;
/** RFC 2759 §4: 49 octets of response. */
const RESPONSE = Buffer.alloc(50, 0x5a).fill(49, 0, 1);
const LCP_OPTIONS = Buffer.from('020600000000', 'hex');
const ADDRESS_OPTION = Buffer.of(3, 6);
const NO_ADDRESS = Buffer.of(3, 6, 0, 0, 0, 0);
const REPEAT_MS = 1000;

export class PppClient {
  readonly #user: string;
  readonly #send: (frame: Buffer) => void;
  readonly #opened = { byUs: false, byThem: false };
  readonly #timer: NodeJS.Timeout;
  /** What waits for its answer. */
  #unanswered: (() => void) | null = null;
  #wanted = NO_ADDRESS;
  #awaitedEcho: { readonly text: string; readonly heard: () => void } | null = null;
  /** The server has believed the name. */
  authenticated = false;
  /** The address that the server has given; null before. */
  address: string | null = null;
  /** Called when the address is there. */
  onUp: () => void = () => undefined;

  /** `user` beginning with "wrong" is not believed. */
  constructor(user: string, send: (frame: Buffer) => void) {
    this.#user = user;
    this.#send = send;
    this.#timer = setInterval(() => this.#unanswered?.(), REPEAT_MS);
  }

  /** Begins to negotiate. */
  open(): void {
    this.#ask(() => this.#packet(LCP, CODE.request, 1, LCP_OPTIONS));
  }

  recv(frame: Buffer): void {
    if (frame.length < 4 || frame.readUInt16BE(0) !== 0xff03) return;
    const protocol = frame.readUInt16BE(2);
    if (protocol === IPV4) {
      this.#recvData(frame.subarray(4));
      return;
    }
    if (frame.length < 8) return;
    const [code, identifier] = [frame.readUInt8(4), frame.readUInt8(5)];
    const data = frame.subarray(8, 4 + frame.readUInt16BE(6));
    if (protocol === LCP) this.#recvLcp(code, identifier, data);
    else if (protocol === CHAP) this.#recvChap(code, identifier);
    else if (protocol === IPCP) this.#recvIpcp(code, identifier, data);
  }

  /** Sends `text` through the tunnel until it has come back; `close` lets it rest. */
  async echo(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#awaitedEcho = { text, heard: resolve };
      this.#ask(() => this.#data(IPV4, Buffer.from(text)));
    });
  }

  /** Takes leave of the server's pppd, until the line is gone. */
  terminate(): void {
    this.#ask(() => this.#packet(LCP, CODE.terminateRequest, 2, Buffer.alloc(0)));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#unanswered = null;
  }

  #ask(question: () => void): void {
    this.#unanswered = question;
    question();
  }

  #recvLcp(code: number, identifier: number, data: Buffer): void {
    if (code === CODE.request) {
      this.#packet(LCP, CODE.ack, identifier, data);
      this.#opened.byThem = true;
    } else if (code === CODE.ack && !this.#opened.byUs) {
      this.#opened.byUs = true;
      this.#unanswered = null;
    } else if (code === CODE.terminateRequest) {
      this.#packet(LCP, CODE.terminateAck, identifier, Buffer.alloc(0));
    }
  }

  #recvChap(code: number, identifier: number): void {
    if (code === CHAP_CODE.challenge) {
      // LCP is open over there: an Ack that comes late answers nothing any more.
      this.#opened.byUs = true;
      const response = Buffer.concat([RESPONSE, Buffer.from(this.#user)]);
      this.#ask(() => this.#packet(CHAP, CHAP_CODE.response, identifier, response));
    } else if (code === CHAP_CODE.success && !this.authenticated) {
      this.authenticated = true;
      this.#ask(() => this.#packet(IPCP, CODE.request, 1, this.#wanted));
    }
  }

  #recvIpcp(code: number, identifier: number, data: Buffer): void {
    if (code === CODE.request) this.#packet(IPCP, CODE.ack, identifier, data);
    if (this.address !== null || !this.authenticated) return;
    if (code === CODE.nak && data.subarray(0, 2).equals(ADDRESS_OPTION)) {
      this.#wanted = Buffer.from(data);
      this.#ask(() => this.#packet(IPCP, CODE.request, 2, this.#wanted));
    } else if (code === CODE.ack) {
      this.#unanswered = null;
      this.address = [...this.#wanted.subarray(2, 6)].join('.');
      this.onUp();
    }
  }

  #recvData(data: Buffer): void {
    if (data.toString() !== this.#awaitedEcho?.text) return;
    const { heard } = this.#awaitedEcho;
    this.#awaitedEcho = null;
    this.#unanswered = null;
    heard();
  }

  #packet(protocol: number, code: number, identifier: number, data: Uint8Array): void {
    const header = Buffer.from([code, identifier, 0, 0]);
    header.writeUInt16BE(4 + data.length, 2);
    this.#data(protocol, Buffer.concat([header, data]));
  }

  #data(protocol: number, data: Uint8Array): void {
    this.#send(Buffer.concat([Buffer.of(0xff, 0x03, protocol >> 8, protocol & 0xff), data]));
  }
}
