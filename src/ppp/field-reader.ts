/**
 * The only place of src/ppp that reads bytes by offset. A read past the end returns zero (or nothing) and marks the reader
 * `short` permanently, so that a parser checks once at its end; no bytes cause an exception. Every returned value is a copy:
 * the frame may be overwritten as soon as `observe` has returned.
 */
import { isUtf8 } from 'node:buffer';

/** The longest name or message that is kept, in bytes; pppd's limit for names is 256. */
const MAX_TEXT_BYTES = 256;
/** Octets of binary data that are shown. */
const MAX_SHOWN_BYTES = 32;
/** The largest part of a text that may be binary octets. */
const MAX_BINARY_PART = 1 / 4;

/** Control characters, format characters such as changes of the writing direction, line separators, unassigned characters. */
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

  /** The next octet, which is not consumed; -1 at the end. */
  peek(): number {
    return this.left > 0 ? this.#at(0) : -1;
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** A reader of the next `length` bytes, which are consumed here. */
  part(length: number): FieldReader {
    const start = this.#position;
    return new FieldReader(
      this.#take(length) ? this.#bytes.subarray(start, this.#position) : this.#bytes.subarray(0, 0),
    );
  }

  /** A reader of all that is left; consumes nothing here. */
  rest(): FieldReader {
    return new FieldReader(this.#bytes.subarray(this.#position));
  }

  /** An address as dotted quad. */
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
    return Uint8Array.from(this.#takeRest(limit));
  }

  /**
   * All that is left as text, cut to MAX_TEXT_BYTES: as UTF-8, or as ISO 8859-1 if it is not UTF-8 (old Windows clients send
   * their code page). Control and other invisible characters are escaped, as in `\x1b`, so that a name can be printed.
   */
  text(): string {
    return printable(this.#takeText());
  }

  /** The same; but if it is not text, in hexadecimal, `0x0cdc79f6…`, cut to MAX_SHOWN_BYTES. */
  textOrHex(): string {
    const bytes = this.#takeText();
    if (isText(bytes)) return printable(bytes);
    const hex = Buffer.from(bytes.subarray(0, MAX_SHOWN_BYTES)).toString('hex');
    return `0x${hex}${bytes.length > MAX_SHOWN_BYTES ? '…' : ''}`;
  }

  #takeText(): Uint8Array {
    const cut = this.left > MAX_TEXT_BYTES;
    const bytes = this.#takeRest(MAX_TEXT_BYTES);
    return cut ? bytes.subarray(0, lengthOfWholeCharacters(bytes)) : bytes;
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

function printable(bytes: Uint8Array): string {
  return decoded(bytes).replaceAll(INVISIBLE, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** Whether at most MAX_BINARY_PART is binary: invisible characters of UTF-8, or else octets that are not printable ASCII. */
function isText(bytes: Uint8Array): boolean {
  const binary = isUtf8(bytes)
    ? (decoded(bytes).match(INVISIBLE)?.length ?? 0)
    : bytes.reduce((count, octet) => count + (octet < 0x20 || octet > 0x7e ? 1 : 0), 0);
  return binary <= bytes.length * MAX_BINARY_PART;
}

const decoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString(isUtf8(bytes) ? 'utf8' : 'latin1');

/** The length of `bytes` without an incomplete UTF-8 character at the end, where a text was cut. */
function lengthOfWholeCharacters(bytes: Uint8Array): number {
  let lead = bytes.length - 1;
  while (lead > bytes.length - 4 && lead > 0 && ((bytes[lead] ?? 0) & 0xc0) === 0x80) lead--;
  return lead + characterLength(bytes[lead] ?? 0) > bytes.length ? lead : bytes.length;
}

/** The length of the UTF-8 character that begins with this octet (RFC 3629 §3); 1 for an octet that begins none. */
function characterLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}
