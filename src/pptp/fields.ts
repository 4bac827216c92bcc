/**
 * The field types of control messages. Byte order, sizes and string padding are known only here; messages list their
 * fields in order, and offsets follow from that.
 */

/** A field with a value: its size in octets, and how to read and write it at an offset. */
interface Field<T> {
  readonly size: number;
  read(bytes: Buffer, at: number): T;
  /** Throws a RangeError for a number that the field cannot hold. */
  write(bytes: Buffer, at: number, value: T): void;
}

/** A number. `minimum` and `maximum` are the RFC's limits where they are narrower than the field. */
export interface NumberField extends Field<number> {
  readonly kind: 'number';
  readonly minimum?: number;
  readonly maximum?: number;
  /** A value that the RFC does not allow but that peers send; it has no effect. */
  readonly tolerated?: number;
}

export interface TextField extends Field<string> {
  readonly kind: 'text';
}

/** Sent as zero and ignored when received, so that later versions may use it (RFC 2637 §2). */
export interface ReservedField {
  readonly kind: 'reserved';
  readonly size: number;
}

export const u8 = unsigned(1);
export const u16 = unsigned(2);
export const u32 = unsigned(4);

/** `field`, limited to the RFC's values. Other values are still read; `findBadValue` reports them. */
export const within = (field: NumberField, minimum: number, maximum: number): NumberField => ({
  ...field,
  minimum,
  maximum,
});

/** `field`, in which 0 is tolerated because the server does not use it. */
export const orZero = (field: NumberField): NumberField => ({ ...field, tolerated: 0 });

/**
 * A string padded with zero octets. Reading stops at the first zero and maps each octet to a Latin-1 character, so that
 * no input is lost or invalid. Writing stops at the first NUL, cuts to the field, and replaces non-Latin-1 characters
 * by '?'.
 */
export const text = (size: number): TextField => ({
  kind: 'text',
  size,
  read: (bytes, at) => upToNul(bytes.toString('latin1', at, at + size)),
  write: (bytes, at, value) => void bytes.write(upToNul(value).replaceAll(/[^\0-\xff]/gu, '?'), at, size, 'latin1'),
});

export const reserved = (size: number): ReservedField => ({ kind: 'reserved', size });

/** Network byte order (RFC 2637 §2). */
function unsigned(size: number): NumberField {
  return {
    kind: 'number',
    size,
    read: (bytes, at) => bytes.readUIntBE(at, size),
    write: (bytes, at, value) => {
      // Buffer would write fractions and NaN as some other number.
      if (!Number.isInteger(value)) throw new RangeError(`${value} is not an integer`);
      bytes.writeUIntBE(value, at, size);
    },
  };
}

function upToNul(value: string): string {
  const nul = value.indexOf('\0');
  return nul === -1 ? value : value.slice(0, nul);
}
