/** The counterpart of FieldReader: octets of a control packet, in network byte order. For control packets only: it allocates. */
export class FieldWriter {
  readonly #octets: number[] = [];

  u8(value: number): this {
    this.#octets.push(value & 0xff);
    return this;
  }

  u16(value: number): this {
    return this.u8(value >>> 8).u8(value);
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value);
  }

  bytes(octets: Uint8Array): this {
    for (const octet of octets) this.#octets.push(octet);
    return this;
  }

  /** Text in UTF-8. */
  text(text: string): this {
    return this.bytes(Buffer.from(text, 'utf8'));
  }

  /** A dotted quad. */
  ipv4(address: string): this {
    for (const part of address.split('.')) this.u8(Number(part));
    return this;
  }

  /** A copy of what was written. */
  get octets(): Uint8Array {
    return Uint8Array.from(this.#octets);
  }
}
