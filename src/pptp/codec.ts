/** Encodes and decodes messages, following the declarations in messages.ts. */
import { asBuffer, inspectHeader, type ProtocolError, protocolError, writeHeader } from './header.js';
import { LAYOUTS } from './layout.js';
import type { ControlMessage } from './messages.js';

export type Decoded =
  /** `surplus`: number of ignored octets beyond the RFC's length of the message; absent if there are none. */
  | { readonly ok: true; readonly message: ControlMessage; readonly surplus?: number }
  | { readonly ok: false; readonly error: ProtocolError };

/** Encodes a message. Throws a RangeError for a number that its field cannot hold; longer strings are cut. */
export function encode(message: ControlMessage): Buffer {
  const { length, fields } = LAYOUTS[message.type];
  const bytes = Buffer.alloc(length);
  writeHeader(bytes, message.type);
  const values: Readonly<Record<string, unknown>> = message;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop and the type follow one declaration
  for (const { name, field, at } of fields) field.write(bytes, at, values[name] as never);
  return bytes;
}

/** Decodes `bytes`, which must be exactly one message. Never throws. Values are not checked; see `findBadValue`. */
export function decode(bytes: Uint8Array): Decoded {
  const header = inspectHeader(bytes);
  if (header.kind === 'incomplete') return refused('truncated', `${bytes.length} octets of a header`);
  if (header.kind !== 'known') return { ok: false, error: header.error };
  const { type, length } = header;
  if (bytes.length < length) return refused('truncated', `${bytes.length} of ${length} octets of ${type}`);
  if (bytes.length > length) return refused('badLength', `${bytes.length - length} octets behind ${type}`);
  const message: Record<string, unknown> = { type };
  const buffer = asBuffer(bytes);
  for (const { name, field, at } of LAYOUTS[type].fields) message[name] = field.read(buffer, at);
  const surplus = length - LAYOUTS[type].length;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop and the type follow one declaration
  const read = { ok: true, message: message as unknown as ControlMessage } as const;
  return surplus === 0 ? read : { ...read, surplus };
}

interface StrangeValue {
  readonly field: string;
  readonly value: number;
  /** For the log. */
  readonly detail: string;
}

/**
 * The first field with a value that RFC 2637 §2 does not allow, to be answered with general error Bad-Value; null if
 * there is none.
 */
export function findBadValue(message: ControlMessage): StrangeValue | null {
  for (const { tolerated, ...strange } of strangeValues(message)) if (!tolerated) return strange;
  return null;
}

/** The fields with values that RFC 2637 §2 does not allow, but that do not affect the server. */
export function toleratedValues(message: ControlMessage): readonly StrangeValue[] {
  return [...strangeValues(message)].filter(({ tolerated }) => tolerated);
}

function* strangeValues(message: ControlMessage): Generator<StrangeValue & { readonly tolerated: boolean }> {
  const values: Readonly<Record<string, unknown>> = message;
  for (const { name, field } of LAYOUTS[message.type].fields) {
    const value = values[name];
    if (field.kind !== 'number' || typeof value !== 'number') continue;
    const { minimum = 0, maximum = Infinity } = field;
    if (value >= minimum && value <= maximum) continue;
    const detail = `${name} ${value} of ${message.type}, not ${minimum} to ${maximum}`;
    yield { field: name, value, detail, tolerated: value === field.tolerated };
  }
}

function refused(reason: 'truncated' | 'badLength', detail: string): Decoded {
  return { ok: false, error: protocolError(reason, detail) };
}
