/**
 * The one place of src/ppp that touches bytes by offset. A read past the end gives zero (or nothing) and marks the
 * reader `short` for good, so that a parser reads straight on and asks once at the end: no exception for any bytes.
 * Whatever is returned is a copy; the frame may be overwritten as soon as `observe` has returned.
 */
import { isUtf8 } from 'node:buffer';

/** Longest name or message kept, in bytes; pppd's own limit for names is 256. */
const MAX_TEXT_BYTES = 256;
/** Octets of binary data shown in its place. */
const MAX_SHOWN_BYTES = 32;
/** Octets that are no text may be so large a part of one. */
const MAX_BINARY_PART = 1 / 4;

/** Controls, format characters such as those that turn the writing direction, separators of lines, unassigned ones. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

export class FieldReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  #short = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether any read so far went past the end. */
  get short(): boolean {
    return this.#short;
  }

  /** Bytes not yet read. */
  get left(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    return this.#take(1) ? this.#at(-1) : 0;
  }

  u16(): number {
    return this.#take(2) ? (this.#at(-2) << 8) | this.#at(-1) : 0;
  }

  u32(): number {
    return this.#take(4) ? ((this.#at(-4) << 24) | (this.#at(-3) << 16) | (this.#at(-2) << 8) | this.#at(-1)) >>> 0 : 0;
  }

  /** The next octet without taking it; -1 at the end. */
  peek(): number {
    return this.left > 0 ? this.#at(0) : -1;
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** A reader of the next `length` bytes, which are taken here. */
  part(length: number): FieldReader {
    const start = this.#position;
    return new FieldReader(
      this.#take(length) ? this.#bytes.subarray(start, this.#position) : this.#bytes.subarray(0, 0),
    );
  }

  /** A reader of all that is left; takes nothing here. */
  rest(): FieldReader {
    return new FieldReader(this.#bytes.subarray(this.#position));
  }

  /** Dotted quad. */
  ipv4(): string {
    const address = this.u32();
    return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join('.');
  }

  /** All that is left in lower-case hexadecimal, cut to `limit` bytes. */
  hex(limit: number): string {
    return Buffer.from(this.#takeRest(limit)).toString('hex');
  }

  /** A copy of all that is left, cut to `limit` bytes. */
  bytes(limit: number): Uint8Array {
    return this.#takeRest(limit).slice();
  }

  /**
   * All that is left as text, cut to MAX_TEXT_BYTES: UTF-8, or ISO 8859-1 when it is none (old Windows clients send
   * their code page). Control and other invisible characters come out as `\x1b`, so that a name can be printed.
   */
  text(): string {
    return shown(this.#takeText());
  }

  /** The same for what may be no text: then in hexadecimal, `0x0cdc79f6…`, cut to MAX_SHOWN_BYTES. */
  textOrHex(): string {
    const bytes = this.#takeText();
    if (isText(bytes)) return shown(bytes);
    const hex = Buffer.from(bytes.subarray(0, MAX_SHOWN_BYTES)).toString('hex');
    return `0x${hex}${bytes.length > MAX_SHOWN_BYTES ? '…' : ''}`;
  }

  #takeText(): Uint8Array {
    const cut = this.left > MAX_TEXT_BYTES;
    const bytes = this.#takeRest(MAX_TEXT_BYTES);
    return cut ? bytes.subarray(0, wholeCharacters(bytes)) : bytes;
  }

  #at(offset: number): number {
    return this.#bytes[this.#position + offset] ?? 0;
  }

  #take(length: number): boolean {
    if (length > this.left) {
      this.#short = true;
      this.#position = this.#bytes.length;
      return false;
    }
    this.#position += length;
    return true;
  }

  #takeRest(limit: number): Uint8Array {
    const start = this.#position;
    this.#position = this.#bytes.length;
    return this.#bytes.subarray(start, start + limit);
  }
}

function shown(bytes: Uint8Array): string {
  return decoded(bytes).replaceAll(INVISIBLE, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** Whether at most MAX_BINARY_PART of it is neither UTF-8 nor ASCII, or invisible. */
function isText(bytes: Uint8Array): boolean {
  const binary = isUtf8(bytes)
    ? (decoded(bytes).match(INVISIBLE)?.length ?? 0)
    : bytes.reduce((count, octet) => count + (octet < 0x20 || octet > 0x7e ? 1 : 0), 0);
  return binary <= bytes.length * MAX_BINARY_PART;
}

const decoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString(isUtf8(bytes) ? 'utf8' : 'latin1');

/** Length of `bytes` without a UTF-8 character that a cut has left incomplete at the end. */
function wholeCharacters(bytes: Uint8Array): number {
  let lead = bytes.length - 1;
  while (lead > bytes.length - 4 && lead > 0 && ((bytes[lead] ?? 0) & 0xc0) === 0x80) lead--;
  return (bytes[lead] ?? 0) >= 0xc0 ? lead : bytes.length;
}
