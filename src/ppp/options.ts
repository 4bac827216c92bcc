/**
 * The configuration options of LCP, IPCP, IPV6CP and CCP, one declaration each: type, length in octets including the header
 * (RFC 1661 §6; 0: any), and how to read its value. Option names and TypeScript types follow from the declarations.
 */
import { FieldReader } from './field-reader.js';
import { protocolName } from './packet.js';

interface OptionDeclaration<Value> {
  readonly type: number;
  readonly length: number;
  readonly read: (fields: FieldReader) => Value;
}

const option = <Value>(type: number, length: number, read: (fields: FieldReader) => Value) =>
  ({ type, length, read }) satisfies OptionDeclaration<Value>;

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

/** RFC 1661 §6; ACCM RFC 1662 §7.1; callback RFC 1570 §2.3; quality RFC 1989; multilink RFC 1990 §5.1. */
export const LCP_OPTIONS = {
  /** The largest packet that the sender can receive, in octets. */
  mru: option(1, 4, (fields) => fields.u16()),
  /** Characters that must be escaped in frames to the sender, one bit each. */
  accm: option(2, 6, (fields) => fields.u32()),
  /** How the sender wants its peer to authenticate itself. */
  authentication: option(3, 0, readAuthentication),
  quality: option(4, 0, (fields) => protocolName(fields.u16())),
  magicNumber: option(5, 6, (fields) => fields.u32()),
  protocolFieldCompression: option(7, 2, present),
  addressControlCompression: option(8, 2, present),
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
  address: option(3, 6, (fields) => fields.ipv4()),
  primaryDns: option(129, 6, (fields) => fields.ipv4()),
  primaryWins: option(130, 6, (fields) => fields.ipv4()),
  secondaryDns: option(131, 6, (fields) => fields.ipv4()),
  secondaryWins: option(132, 6, (fields) => fields.ipv4()),
};

/** RFC 5072 §4. */
export const IPV6CP_OPTIONS = {
  /** In the form of the lower half of an address: `a00:27ff:fe12:3456`. */
  interfaceIdentifier: option(1, 10, (fields) =>
    [fields.u16(), fields.u16(), fields.u16(), fields.u16()].map((group) => group.toString(16)).join(':'),
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

/** RFC 1962 §4; MPPE RFC 3078 §2; BSD RFC 1977; Deflate RFC 1979, with number 24 in an older draft. */
export const CCP_OPTIONS = {
  predictor1: option(1, 2, present),
  predictor2: option(2, 2, present),
  lzs: option(17, 0, present),
  mppe: option(18, 6, readMppe),
  bsd: option(21, 3, present),
  oldDeflate: option(24, 4, present),
  deflate: option(26, 4, present),
};

type Declarations = { readonly [name: string]: OptionDeclaration<unknown> };

/** The value of each option in the packet; `other` lists the types that are unknown or have a wrong length. */
export type OptionsOf<D> = {
  readonly [Name in keyof D]?: D[Name] extends OptionDeclaration<infer Value> ? Value : never;
} & { readonly other?: readonly number[] };

export type LcpOptions = OptionsOf<typeof LCP_OPTIONS>;
export type IpcpOptions = OptionsOf<typeof IPCP_OPTIONS>;
export type Ipv6cpOptions = OptionsOf<typeof IPV6CP_OPTIONS>;
export type CcpOptions = OptionsOf<typeof CCP_OPTIONS>;

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
    const declaration = name === undefined ? undefined : declarations[name];
    if (name !== undefined && declaration !== undefined && [0, length].includes(declaration.length)) {
      const read = declaration.read(value);
      if (!value.short) {
        options[name] = read;
        continue;
      }
    }
    if (other.length < MAX_OTHER && !other.includes(type)) other.push(type);
  }
  if (other.length > 0) options['other'] = other;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each name was read by its own declaration
  return options as OptionsOf<D>;
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
