/**
 * RADIUS attributes: one declaration each, from which encoder, decoder and types follow. Attributes that are not declared
 * are skipped when they are received. RFC 2865 and 2866 unless the declaration says otherwise.
 */

/** Private enterprise numbers, which qualify vendors' attributes. */
const MICROSOFT = 311;
const WISPR = 14_122;
const MIKROTIK = 14_988;

const VENDOR_SPECIFIC = 26;
/** Octets of an attribute's type and length, and of the vendor's number. */
const HEADER = 2;
const VENDOR_NUMBER = 4;
/** An attribute's value, octets: its length is one octet, which counts the header. */
export const MAX_VALUE = 255 - HEADER;

interface Codec<T> {
  readonly encode: (value: T) => Uint8Array;
  /** null: not a value of this kind. */
  readonly decode: (octets: Uint8Array) => T | null;
}

const octets: Codec<Uint8Array> = { encode: (value) => value, decode: (value) => Uint8Array.from(value) };

const text: Codec<string> = {
  encode: (value) => Buffer.from(value, 'utf8'),
  decode: (value) => Buffer.from(value).toString('utf8'),
};

const integer: Codec<number> = {
  encode: (value) => {
    const encoded = Buffer.alloc(4);
    encoded.writeUInt32BE(value);
    return encoded;
  },
  decode: (value) => (value.length === 4 ? Buffer.from(value).readUInt32BE() : null),
};

/** A dotted quad. */
const address: Codec<string> = {
  encode: (value) => Uint8Array.from(value.split('.'), Number),
  decode: (value) => (value.length === 4 ? value.join('.') : null),
};

interface Declaration<T> extends Codec<T> {
  readonly type: number;
  /** null: an attribute of the RFCs. */
  readonly vendor: number | null;
}

const rfc = <T>(type: number, codec: Codec<T>): Declaration<T> => ({ type, vendor: null, ...codec });
const ofVendor = <T>(vendor: number, type: number, codec: Codec<T>): Declaration<T> => ({ type, vendor, ...codec });

export const ATTRIBUTES = {
  'User-Name': rfc(1, octets),
  /** Hidden, see hidden-values.ts. */
  'User-Password': rfc(2, octets),
  /** CHAP's identifier and response. */
  'CHAP-Password': rfc(3, octets),
  'NAS-IP-Address': rfc(4, address),
  'NAS-Port': rfc(5, integer),
  'Service-Type': rfc(6, integer),
  'Framed-Protocol': rfc(7, integer),
  'Framed-IP-Address': rfc(8, address),
  'Filter-Id': rfc(11, text),
  'Reply-Message': rfc(18, text),
  'Framed-Route': rfc(22, text),
  Class: rfc(25, octets),
  'Session-Timeout': rfc(27, integer),
  'Idle-Timeout': rfc(28, integer),
  'Calling-Station-Id': rfc(31, text),
  'NAS-Identifier': rfc(32, text),
  'Proxy-State': rfc(33, octets),
  'Acct-Status-Type': rfc(40, integer),
  'Acct-Delay-Time': rfc(41, integer),
  'Acct-Input-Octets': rfc(42, integer),
  'Acct-Output-Octets': rfc(43, integer),
  'Acct-Session-Id': rfc(44, text),
  'Acct-Authentic': rfc(45, integer),
  'Acct-Session-Time': rfc(46, integer),
  'Acct-Input-Packets': rfc(47, integer),
  'Acct-Output-Packets': rfc(48, integer),
  'Acct-Terminate-Cause': rfc(49, integer),
  /** RFC 2869 §5.1 to §5.3. */
  'Acct-Input-Gigawords': rfc(52, integer),
  'Acct-Output-Gigawords': rfc(53, integer),
  'Event-Timestamp': rfc(55, integer),
  'CHAP-Challenge': rfc(60, octets),
  'NAS-Port-Type': rfc(61, integer),
  /** RFC 2868: a tag octet and three octets of number. */
  'Tunnel-Type': rfc(64, integer),
  'Tunnel-Medium-Type': rfc(65, integer),
  /** RFC 2869 §5.14. */
  'Message-Authenticator': rfc(80, octets),
  /** RFC 2869 §5.16, §5.17. */
  'Acct-Interim-Interval': rfc(85, integer),
  'NAS-Port-Id': rfc(87, text),
  /** RFC 2869 §5.18. */
  'Framed-Pool': rfc(88, text),
  /** RFC 5176 §3.5. */
  'Error-Cause': rfc(101, integer),
  // RFC 2548.
  'MS-CHAP-Response': ofVendor(MICROSOFT, 1, octets),
  'MS-CHAP-Error': ofVendor(MICROSOFT, 2, octets),
  'MS-MPPE-Encryption-Policy': ofVendor(MICROSOFT, 7, integer),
  'MS-CHAP-Challenge': ofVendor(MICROSOFT, 11, octets),
  'MS-CHAP-MPPE-Keys': ofVendor(MICROSOFT, 12, octets),
  'MS-MPPE-Send-Key': ofVendor(MICROSOFT, 16, octets),
  'MS-MPPE-Recv-Key': ofVendor(MICROSOFT, 17, octets),
  'MS-CHAP2-Response': ofVendor(MICROSOFT, 25, octets),
  'MS-CHAP2-Success': ofVendor(MICROSOFT, 26, octets),
  'WISPr-Bandwidth-Max-Up': ofVendor(WISPR, 7, integer),
  'WISPr-Bandwidth-Max-Down': ofVendor(WISPR, 8, integer),
  'Mikrotik-Rate-Limit': ofVendor(MIKROTIK, 8, text),
} as const satisfies Record<string, Pick<Declaration<never>, 'type' | 'vendor'>>;

export type AttributeName = keyof typeof ATTRIBUTES;
type ValueOf<N extends AttributeName> = (typeof ATTRIBUTES)[N] extends Declaration<infer T> ? T : never;

/** A name and its value. A packet may have several of one name; their order counts. */
export type Attribute = { readonly [N in AttributeName]: readonly [N, ValueOf<N>] }[AttributeName];

const NAMES = new Map(
  (Object.keys(ATTRIBUTES) as AttributeName[]).map((name) => {
    const { vendor, type } = ATTRIBUTES[name];
    return [keyOf(vendor, type), name] as const;
  }),
);

function keyOf(vendor: number | null, type: number): string {
  return `${vendor ?? 'rfc'} ${type}`;
}

/** The first value of that name; null when there is none. */
export function valueOf<N extends AttributeName>(attributes: readonly Attribute[], name: N): ValueOf<N> | null {
  const found = attributes.find(([each]) => each === name);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the name picks the value of this very type
  return found === undefined ? null : (found[1] as ValueOf<N>);
}

/** All values of that name, in their order. */
export const valuesOf = <N extends AttributeName>(attributes: readonly Attribute[], name: N): ValueOf<N>[] =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the name picks the values of this very type
  attributes.flatMap(([each, value]) => (each === name ? [value as ValueOf<N>] : []));

/** Throws for a value that is longer than an attribute: our own mistake. */
export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array {
  return Buffer.concat(attributes.map(encodeAttribute));
}

function encodeAttribute([name, value]: Attribute): Uint8Array {
  const { vendor, type, encode } = ATTRIBUTES[name];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the name picks the encoder of this very value
  const encoded = (encode as (value: unknown) => Uint8Array)(value);
  const own = headed(type, encoded);
  return vendor === null ? own : headed(VENDOR_SPECIFIC, Buffer.concat([integer.encode(vendor), own]));
}

function headed(type: number, value: Uint8Array): Uint8Array {
  if (value.length > MAX_VALUE) throw new Error(`attribute ${type} has ${value.length} octets`);
  return Buffer.concat([Uint8Array.of(type, HEADER + value.length), value]);
}

/** null: a length is wrong, or a declared attribute has a value of another kind. Never throws. */
export function decodeAttributes(packet: Uint8Array): Attribute[] | null {
  const fields = split(packet);
  if (fields === null) return null;
  const attributes: (Attribute | null)[] = [];
  for (const { type, value } of fields) {
    if (type === VENDOR_SPECIFIC) {
      const ours = decodeVendor(value);
      if (ours === null) return null;
      attributes.push(...ours);
    } else attributes.push(...decodeOne(null, type, value));
  }
  return attributes.every((each) => each !== null) ? attributes : null;
}

/** Whether it has attributes that are not declared, which `decodeAttributes` skips. */
export function hasUndeclared(packet: Uint8Array): boolean {
  const isDeclared = (vendor: number | null, { type }: Field): boolean => NAMES.has(keyOf(vendor, type));
  return (split(packet) ?? []).some((field) => {
    if (field.type !== VENDOR_SPECIFIC) return !isDeclared(null, field);
    const vendor = integer.decode(field.value.subarray(0, VENDOR_NUMBER));
    return split(field.value.subarray(VENDOR_NUMBER))?.every((each) => isDeclared(vendor, each)) !== true;
  });
}

/** The attributes in a Vendor-Specific one. What a vendor that is not declared puts in there need not be attributes. */
function decodeVendor(value: Uint8Array): (Attribute | null)[] | null {
  const vendor = integer.decode(value.subarray(0, VENDOR_NUMBER));
  if (vendor === null) return null;
  if (![MICROSOFT, WISPR, MIKROTIK].includes(vendor)) return [];
  return split(value.subarray(VENDOR_NUMBER))?.flatMap((each) => decodeOne(vendor, each.type, each.value)) ?? null;
}

/** Empty when it is not declared, null in it when its value is of another kind. */
function decodeOne(vendor: number | null, type: number, value: Uint8Array): (Attribute | null)[] {
  const name = NAMES.get(keyOf(vendor, type));
  if (name === undefined) return [];
  const decoded = ATTRIBUTES[name].decode(value);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the name picks the decoder of this very value
  return [decoded === null ? null : ([name, decoded] as unknown as Attribute)];
}

interface Field {
  readonly type: number;
  readonly value: Uint8Array;
  /** Of the value. */
  readonly at: number;
}

/** null when a length is wrong. */
function split(packet: Uint8Array): Field[] | null {
  const fields: Field[] = [];
  let at = 0;
  while (at < packet.length) {
    const [type = 0, length = 0] = packet.subarray(at, at + HEADER);
    if (length < HEADER || at + length > packet.length) return null;
    fields.push({ type, value: packet.subarray(at + HEADER, at + length), at: at + HEADER });
    at += length;
  }
  return fields;
}

/** Where the values of that attribute of the RFCs are. */
export const positionsOf = (
  packet: Uint8Array,
  name: AttributeName,
): { readonly at: number; readonly length: number }[] =>
  (split(packet) ?? []).flatMap(({ type, at, value }) =>
    type === ATTRIBUTES[name].type ? [{ at, length: value.length }] : [],
  );
