/**
 * The server's socket of a control connection, and the client at the other end, in memory. Like a worker's TCP socket it
 * closes its half when the client has closed the other one.
 */
import { Duplex } from 'node:stream';
import { type ControlMessage, encode, Framer } from '../../../src/pptp/index.js';

export class ClientSocket extends Duplex {
  /** The messages that the client has received. */
  readonly received: ControlMessage[] = [];
  hasNoDelay = false;
  readonly #framer = new Framer();
  /** Accepts the chunk that the client has not read. */
  #untaken: (() => void) | null = null;
  #reads = true;

  constructor() {
    super({ allowHalfOpen: false });
  }

  // The client.

  /** In one segment. */
  send(...messages: readonly ControlMessage[]): void {
    this.sendBytes(Buffer.concat(messages.map(encode)));
  }

  sendBytes(bytes: Uint8Array): void {
    this.push(bytes);
  }

  /** The client closes its half. */
  sendEnd(): void {
    this.push(null);
  }

  /** The network breaks the connection. */
  fail(message: string): void {
    this.destroy(new Error(message));
  }

  /** From now on the client reads nothing. */
  stopReading(): void {
    this.#reads = false;
  }

  readOn(): void {
    this.#reads = true;
    this.#untaken?.();
    this.#untaken = null;
  }

  /** The server has closed its half. */
  get hasEnded(): boolean {
    return this.writableEnded;
  }

  // The server's side, as in net.Socket.

  setNoDelay(noDelay = true): this {
    this.hasNoDelay = noDelay;
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    const take = (): void => {
      this.#framer.push(chunk);
      for (const item of this.#framer) {
        if (!item.ok) throw new Error(`the server sent bytes that are not a control message: ${item.error.detail}`);
        this.received.push(item.message);
      }
      taken();
    };
    if (this.#reads) take();
    else this.#untaken = take;
  }
}

/** Resolves when streams and promises have settled. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
