/**
 * Builds PPP frames for the tests, and passes them to a reader. Written only from the RFCs, without the tables of the source, so
 * that a wrong number there is found.
 */
import { type PppEvent, PppReader, type PppState } from '../../../src/ppp/reader.js';

export const LCP = 0xc021;
export const PAP = 0xc023;
export const CHAP = 0xc223;
export const EAP = 0xc227;
export const IPCP = 0x8021;
export const IPV6CP = 0x8057;
export const CCP = 0x80fd;

export const REQUEST = 1;
export const ACK = 2;
export const NAK = 3;
export const REJECT = 4;
export const TERMINATE = 5;
export const TERMINATE_ACK = 6;

/** Characters that a terminal obeys or does not show. */
export const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Every string in a value of plain JSON, except the keys. */
export const stringsOf = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
};

type Data = string | readonly number[] | Uint8Array;

export const hex = (digits: string): Uint8Array => Buffer.from(digits.replaceAll(/\s/g, ''), 'hex');

export const bytes = (...parts: Data[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

/** A frame with address and control fields. */
export function frame(protocol: number, code: number, identifier: number, ...parts: Data[]): Uint8Array {
  const body = bytes(...parts);
  const length = body.length + 4;
  return bytes([0xff, 0x03, protocol >> 8, protocol & 255, code, identifier, length >> 8, length & 255], body);
}

export const option = (type: number, ...parts: Data[]): Uint8Array => {
  const value = bytes(...parts);
  return bytes([type, value.length + 2], value);
};

export const lcp = {
  mru: (mru: number) => option(1, [mru >> 8, mru & 255]),
  accm: (digits: string) => option(2, hex(digits)),
  pap: option(3, hex('c023')),
  chapMd5: option(3, hex('c22305')),
  msChapV1: option(3, hex('c22380')),
  msChapV2: option(3, hex('c22381')),
  eap: option(3, hex('c227')),
  magic: (digits: string) => option(5, hex(digits)),
  pfc: option(7),
  acfc: option(8),
  callback: option(13, [6]),
};

export const ipcp = {
  vj: option(2, hex('002d0f01')),
  address: (address: string) => option(3, address.split('.').map(Number)),
  dns1: (address: string) => option(129, address.split('.').map(Number)),
  wins1: (address: string) => option(130, address.split('.').map(Number)),
  dns2: (address: string) => option(131, address.split('.').map(Number)),
};

/** MPPE's supported bits, e.g. 01000040: stateless, 128 bits. */
export const mppe = (digits: string): Uint8Array => option(18, hex(digits));

/** A length octet, then the value. */
export const counted = (...parts: Data[]): Uint8Array => {
  const value = bytes(...parts);
  return bytes([value.length], value);
};

/** A reader with a clock that advances one millisecond per frame. */
export class Link {
  readonly reader = new PppReader();
  readonly events: PppEvent[] = [];
  now = 0;

  client(...arguments_: Parameters<typeof frame>): readonly PppEvent[] {
    return this.raw('fromClient', frame(...arguments_));
  }

  server(...arguments_: Parameters<typeof frame>): readonly PppEvent[] {
    return this.raw('toClient', frame(...arguments_));
  }

  raw(direction: 'fromClient' | 'toClient', sent: Uint8Array): readonly PppEvent[] {
    // The relay's buffer is overwritten at once: the reader must keep copies.
    const view = Uint8Array.from(sent);
    const events = this.reader.observe(direction, view, ++this.now);
    view.fill(0xaa);
    this.events.push(...events);
    return events;
  }

  /** Both sides send a request and both agree, the server first as pppd does. */
  agree(protocol: number, fromClient: Uint8Array, fromServer: Uint8Array, identifier = 1): void {
    this.server(protocol, REQUEST, identifier, fromServer);
    this.client(protocol, REQUEST, identifier, fromClient);
    this.server(protocol, ACK, identifier, fromClient);
    this.client(protocol, ACK, identifier, fromServer);
  }

  /** Opens LCP; `authentication` is what the server requests. */
  open(authentication: Uint8Array = lcp.msChapV2): void {
    const client = bytes(lcp.mru(1400), lcp.accm('00000000'), lcp.magic('21d6ac10'), lcp.pfc, lcp.acfc);
    this.agree(LCP, client, bytes(lcp.accm('000a0000'), authentication, lcp.magic('64e10b9c'), lcp.pfc, lcp.acfc));
  }

  challenge(identifier = 7): readonly PppEvent[] {
    return this.server(CHAP, 1, identifier, counted(new Uint8Array(16)), 'pptpd');
  }

  respond(name: Data, identifier = 7): readonly PppEvent[] {
    return this.client(CHAP, 2, identifier, counted(new Uint8Array(49).fill(0x5a)), name);
  }

  /** LCP and MS-CHAPv2 as `alice`. */
  login(): void {
    this.open();
    this.challenge();
    this.respond('alice');
    this.server(CHAP, 3, 7, 'S=7B2F1C55A6A1D4C5CE0B0D4C1B7B8E5B9C6B2B10 M=Access granted');
  }

  get state(): PppState {
    return this.reader.state;
  }

  /** Calls `send` this many times. */
  times(count: number, send: (turn: number) => void): void {
    for (let turn = 0; turn < count; turn++) send(turn);
  }

  /** The types of all events so far. */
  get types(): string[] {
    return this.events.map(({ type }) => type);
  }
}
