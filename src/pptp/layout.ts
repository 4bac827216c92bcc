/**
 * What follows from the declarations: where every field of a message lies, how long the message is, and which message
 * a Control Message Type names. Worked out once, when the program starts.
 */
import { HEADER_LENGTH } from './constants.js';
import type { NumberField, TextField } from './fields.js';
import { MESSAGES, MESSAGE_TYPES, type MessageType } from './messages.js';

interface PlacedField {
  readonly name: string;
  readonly field: NumberField | TextField;
  /** Octets from the start of the message. */
  readonly at: number;
}

interface Layout {
  /** Octets of the whole message, the header included. */
  readonly length: number;
  /** In wire order, without the reserved ones. */
  readonly fields: readonly PlacedField[];
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every message type has its layout
export const LAYOUTS = Object.fromEntries(MESSAGE_TYPES.map((type) => [type, layoutOf(type)])) as Readonly<
  Record<MessageType, Layout>
>;

/** By Control Message Type. */
export const TYPES_BY_CODE: ReadonlyMap<number, MessageType> = new Map(
  MESSAGE_TYPES.map((type) => [MESSAGES[type].code, type]),
);

function layoutOf(type: MessageType): Layout {
  const fields: PlacedField[] = [];
  let at = HEADER_LENGTH;
  for (const [name, field] of Object.entries(MESSAGES[type].fields)) {
    if (field.kind !== 'reserved') fields.push({ name, field, at });
    at += field.size;
  }
  return { length: at, fields };
}
