/**
 * The kinds of field that control messages are made of. Only here are byte order, sizes and the padding of strings
 * known; messages name their fields in order, and offsets follow from that.
 */

/** Something with a value: how many octets it has, and how it is read and written at an offset that holds them all. */
interface Field<T> {
  readonly size: number;
  read(bytes: Buffer, at: number): T;
  /** Throws a RangeError for a number that the field cannot hold. */
  write(bytes: Buffer, at: number, value: T): void;
}

/** A number; `minimum` and `maximum` are what the RFC allows, where that is less than the octets can hold. */
export interface NumberField extends Field<number> {
  readonly kind: 'number';
  readonly minimum?: number;
  readonly maximum?: number;
  /** A value that the RFC does not allow and peers send; it means nothing to us. */
  readonly tolerated?: number;
}

/** A string. */
export interface TextField extends Field<string> {
  readonly kind: 'text';
}

/** Sent as zero and not looked at when received, so that later versions may use it (RFC 2637 §2). */
export interface ReservedField {
  readonly kind: 'reserved';
  readonly size: number;
}

export const u8 = unsigned(1);
export const u16 = unsigned(2);
export const u32 = unsigned(4);

/** `field` with the values that the RFC allows; others are read all the same, for `findBadValue` to tell. */
export const within = (field: NumberField, minimum: number, maximum: number): NumberField => ({
  ...field,
  minimum,
  maximum,
});

/** `field`, whose sender may leave it 0: it has no say in what we do. */
export const orZero = (field: NumberField): NumberField => ({ ...field, tolerated: 0 });

/**
 * A string padded with zero octets. Read up to the first zero, each octet one character (Latin-1), so that nothing of
 * what a peer sends is lost or invalid. Written up to the first NUL, cut to the field, with '?' for what Latin-1 lacks.
 */
export const text = (size: number): TextField => ({
  kind: 'text',
  size,
  read: (bytes, at) => upToNul(bytes.toString('latin1', at, at + size)),
  write: (bytes, at, value) => void bytes.write(upToNul(value).replaceAll(/[^\0-\xff]/gu, '?'), at, size, 'latin1'),
});

export const reserved = (size: number): ReservedField => ({ kind: 'reserved', size });

/** In network order, high octet first (RFC 2637 §2). */
function unsigned(size: number): NumberField {
  return {
    kind: 'number',
    size,
    read: (bytes, at) => bytes.readUIntBE(at, size),
    write: (bytes, at, value) => {
      // Buffer itself writes fractions and NaN as some other number.
      if (!Number.isInteger(value)) throw new RangeError(`${value} is no integer`);
      bytes.writeUIntBE(value, at, size);
    },
  };
}

function upToNul(value: string): string {
  const nul = value.indexOf('\0');
  return nul === -1 ? value : value.slice(0, nul);
}
