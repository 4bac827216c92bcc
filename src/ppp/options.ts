/**
 * The configuration options of LCP, IPCP, IPV6CP and CCP, one declaration each: type, length in octets with its header
 * (RFC 1661 §6; 0: any), how its value is read, and how it is written where the engine asks for it or proposes it. Option
 * names and TypeScript types follow from the declarations.
 */
import { FieldReader } from './field-reader.js';
import { FieldWriter } from './field-writer.js';
import { protocolName, protocolNumber } from './packet.js';

interface OptionDeclaration<Value> {
  readonly type: number;
  readonly length: number;
  readonly read: (fields: FieldReader) => Value;
}

/** An option that can be sent: `write` is the inverse of `read`. */
export interface WritableOption<Value> extends OptionDeclaration<Value> {
  readonly write: (fields: FieldWriter, value: Value) => void;
}

type Read<Value> = (fields: FieldReader) => Value;
type Write<Value> = (fields: FieldWriter, value: Value) => void;

function option<Value>(type: number, length: number, read: Read<Value>, write: Write<Value>): WritableOption<Value>;
function option<Value>(type: number, length: number, read: Read<Value>): OptionDeclaration<Value>;
function option<Value>(type: number, length: number, read: Read<Value>, write?: Write<Value>) {
  return write === undefined ? { type, length, read } : { type, length, read, write };
}

const u16Option = (type: number) =>
  option(
    type,
    4,
    (fields) => fields.u16(),
    (fields, value) => fields.u16(value),
  );
const u32Option = (type: number) =>
  option(
    type,
    6,
    (fields) => fields.u32(),
    (fields, value) => fields.u32(value),
  );
const ipv4Option = (type: number) =>
  option(
    type,
    6,
    (fields) => fields.ipv4(),
    (fields, value) => fields.ipv4(value),
  );
/** An option that says all by being there. */
const flagOption = (type: number) =>
  option(
    type,
    2,
    (): true => true,
    () => {},
  );

const present = (): true => true;

/** CHAP algorithms in LCP's authentication option (RFC 1994 §3, RFC 2433 §3, RFC 2759 §3). */
const CHAP_ALGORITHMS: Readonly<Record<number, string>> = { 5: 'CHAP-MD5', 0x80: 'MS-CHAPv1', 0x81: 'MS-CHAPv2' };

/** `PAP`, `CHAP-MD5`, `MS-CHAPv1`, `MS-CHAPv2`, `EAP`, `CHAP-0x06` or `0xc123`. */
function readAuthentication(fields: FieldReader): string {
  const name = protocolName(fields.u16());
  if (name !== 'CHAP') return name;
  const algorithm = fields.u8();
  return CHAP_ALGORITHMS[algorithm] ?? `CHAP-0x${algorithm.toString(16).padStart(2, '0')}`;
}

/** Writes the names above, but for protocols that have no name. */
function writeAuthentication(fields: FieldWriter, name: string): void {
  const algorithm = Object.entries(CHAP_ALGORITHMS).find(([, known]) => known === name)?.[0];
  fields.u16(protocolNumber(algorithm === undefined ? name : 'CHAP') ?? 0);
  if (algorithm !== undefined) fields.u8(Number(algorithm));
}

/** RFC 1661 §6; ACCM RFC 1662 §7.1; callback RFC 1570 §2.3; quality RFC 1989; multilink RFC 1990 §5.1. */
export const LCP_OPTIONS = {
  /** The largest packet that the sender can receive, in octets. */
  mru: u16Option(1),
  /** Characters that must be escaped in frames to the sender, one bit each. */
  accm: u32Option(2),
  /** How the sender wants its peer to authenticate itself. */
  authentication: option(3, 0, readAuthentication, writeAuthentication),
  quality: option(4, 0, (fields) => protocolName(fields.u16())),
  magicNumber: u32Option(5),
  protocolFieldCompression: flagOption(7),
  addressControlCompression: flagOption(8),
  /** The requested operation: 6 is "decided by CBCP", which Windows requests. */
  callback: option(13, 0, (fields) => fields.u8()),
  multilinkMrru: option(17, 4, (fields) => fields.u16()),
  shortSequenceNumbers: option(18, 2, present),
  endpointDiscriminator: option(19, 0, (fields) => fields.hex(24)),
};

/** RFC 1332 §3 and, from 129 on, RFC 1877 §1. */
export const IPCP_OPTIONS = {
  oldAddresses: option(1, 10, (fields) => `${fields.ipv4()} ${fields.ipv4()}`),
  /** Header compression, named by its protocol number; `VJ` is Van Jacobson's (RFC 1144). */
  compression: option(2, 0, (fields) => {
    const number = fields.u16();
    return number === 0x002d ? 'VJ' : protocolName(number);
  }),
  /** The sender's own address; 0.0.0.0 asks the peer for one. */
  address: ipv4Option(3),
  primaryDns: ipv4Option(129),
  primaryWins: ipv4Option(130),
  secondaryDns: ipv4Option(131),
  secondaryWins: ipv4Option(132),
};

/** RFC 5072 §4. */
export const IPV6CP_OPTIONS = {
  /** In the form of the lower half of an address: `a00:27ff:fe12:3456`. */
  interfaceIdentifier: option(
    1,
    10,
    (fields) => [fields.u16(), fields.u16(), fields.u16(), fields.u16()].map((group) => group.toString(16)).join(':'),
    (fields, value) => {
      for (const group of value.split(':')) fields.u16(Number.parseInt(group, 16));
    },
  ),
};

/** The supported bits of the MPPE option (RFC 3078 §2; RFC 2118 defined the last octet). */
const MPPE_BITS = { stateless: 0x0100_0000, mppc: 0x01, bits40: 0x20, bits128: 0x40, bits56: 0x80 };

export type MppeOffer = {
  /** The offered key lengths in bits; empty if the option requests only compression. */
  readonly keys: readonly (40 | 56 | 128)[];
  readonly stateless: boolean;
  /** Microsoft's compression (MPPC). */
  readonly mppc: boolean;
};

function readMppe(fields: FieldReader): MppeOffer {
  const bits = fields.u32();
  const keys: (40 | 56 | 128)[] = [];
  if ((bits & MPPE_BITS.bits40) !== 0) keys.push(40);
  if ((bits & MPPE_BITS.bits56) !== 0) keys.push(56);
  if ((bits & MPPE_BITS.bits128) !== 0) keys.push(128);
  return { keys, stateless: (bits & MPPE_BITS.stateless) !== 0, mppc: (bits & MPPE_BITS.mppc) !== 0 };
}

function writeMppe(fields: FieldWriter, { keys, stateless, mppc }: MppeOffer): void {
  let bits = 0;
  for (const key of keys) bits |= MPPE_BITS[`bits${key}`];
  if (stateless) bits |= MPPE_BITS.stateless;
  if (mppc) bits |= MPPE_BITS.mppc;
  fields.u32(bits);
}

/** RFC 1962 §4; MPPE RFC 3078 §2; BSD RFC 1977; Deflate RFC 1979, with number 24 in an older draft. */
export const CCP_OPTIONS = {
  predictor1: option(1, 2, present),
  predictor2: option(2, 2, present),
  lzs: option(17, 0, present),
  mppe: option(18, 6, readMppe, writeMppe),
  bsd: option(21, 3, present),
  oldDeflate: option(24, 4, present),
  deflate: option(26, 4, present),
};

export type Declarations = { readonly [name: string]: OptionDeclaration<unknown> };

/** The type that an option's value has. */
export type ValueOf<O> = O extends OptionDeclaration<infer Value> ? Value : never;

/** The value of each option in the packet; `other` lists the types that are unknown or have a wrong length. */
export type OptionsOf<D> = {
  readonly [Name in keyof D]?: ValueOf<D[Name]>;
} & { readonly other?: readonly number[] };

export type LcpOptions = OptionsOf<typeof LCP_OPTIONS>;
export type IpcpOptions = OptionsOf<typeof IPCP_OPTIONS>;
export type Ipv6cpOptions = OptionsOf<typeof IPV6CP_OPTIONS>;
export type CcpOptions = OptionsOf<typeof CCP_OPTIONS>;

const UNREADABLE = Symbol('unreadable');

/** At most this many unknown types are kept. */
const MAX_OTHER = 16;

/** The options in a Configure packet; null if an option runs past the end or is shorter than its header. */
export function readOptions<D extends Declarations>(declarations: D, fields: FieldReader): OptionsOf<D> | null {
  const options: Record<string, unknown> = {};
  const other: number[] = [];
  while (fields.left > 0) {
    const type = fields.u8();
    const length = fields.u8();
    if (length < 2) return null;
    const value = fields.part(length - 2);
    if (fields.short) return null;
    const name = nameOf(declarations, type);
    const read = name === undefined ? UNREADABLE : readValue(declarations, name, length, value);
    if (name !== undefined && read !== UNREADABLE) options[name] = read;
    else if (other.length < MAX_OTHER && !other.includes(type)) other.push(type);
  }
  if (other.length > 0) options['other'] = other;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each name was read by its own declaration
  return options as OptionsOf<D>;
}

/** The value of an option of `length` octets; UNREADABLE when it does not have its declared length or form. */
function readValue(declarations: Declarations, name: string, length: number, value: FieldReader): unknown {
  const declaration = declarations[name];
  if (declaration === undefined || ![0, length].includes(declaration.length)) return UNREADABLE;
  const read = declaration.read(value);
  return value.short ? UNREADABLE : read;
}

/** One option of a Configure packet with the octets that it came in, header included. */
export interface ReceivedOption {
  readonly type: number;
  readonly octets: Uint8Array;
  /** null: the type is unknown. */
  readonly name: string | null;
  /** undefined: unknown, or not of its declared length or form. */
  readonly value: unknown;
}

/** The options in a Configure packet one by one; null as `readOptions`. */
export function listOptions(declarations: Declarations, fields: FieldReader): ReceivedOption[] | null {
  const list: ReceivedOption[] = [];
  while (fields.left > 0) {
    const whole = fields.rest();
    const type = fields.u8();
    const length = fields.u8();
    if (length < 2) return null;
    const body = fields.part(length - 2);
    if (fields.short) return null;
    const name = nameOf(declarations, type) ?? null;
    const value = name === null ? UNREADABLE : readValue(declarations, name, length, body);
    list.push({ type, octets: whole.bytes(length), name, value: value === UNREADABLE ? undefined : value });
  }
  return list;
}

/** The octets of one option, header included. */
export function writeOption<Value>(declaration: WritableOption<Value>, value: Value): Uint8Array {
  const body = new FieldWriter();
  declaration.write(body, value);
  const { octets } = body;
  return new FieldWriter()
    .u8(declaration.type)
    .u8(octets.length + 2)
    .bytes(octets).octets;
}

/** The names of the options in a Configure-Nak or -Reject; an unknown type is `option 23`. */
export function optionNames<D extends Declarations>(declarations: D, options: OptionsOf<D>): string[] {
  const names = Object.keys(options).filter((name) => name !== 'other');
  // A rejected option may be returned with another length; its type still identifies it.
  const others = (options.other ?? []).map((type) => nameOf(declarations, type) ?? `option ${type}`);
  return [...new Set([...names, ...others])];
}

/** Searches a dozen names without allocating: a client may send thousands of options a second. */
function nameOf(declarations: Declarations, type: number): string | undefined {
  for (const name in declarations) if (declarations[name]?.type === type) return name;
  return undefined;
}
