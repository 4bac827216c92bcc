/**
 * Derives from the declarations, once at program start: the offset of every field, the length of every message, and the
 * message for each Control Message Type.
 */
import { HEADER_LENGTH } from './constants.js';
import type { NumberField, TextField } from './fields.js';
import { MESSAGES, MESSAGE_TYPES, type MessageType } from './messages.js';

interface PlacedField {
  readonly name: string;
  readonly field: NumberField | TextField;
  /** Offset from the start of the message, octets. */
  readonly at: number;
}

interface Layout {
  /** Length of the whole message including the header, octets. */
  readonly length: number;
  /** In wire order, without reserved fields. */
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
