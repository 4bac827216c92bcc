/** The part of raw-socket that we and our tests use; the package brings no types. */
declare module 'raw-socket' {
  import { EventEmitter } from 'node:events';

  class Socket extends EventEmitter {
    constructor(options: { protocol: number; bufferSize?: number });
    /** The poll's callback: the constructor binds it, so that a subclass takes over what a readable socket does. */
    onRecvReady(): void;
    onError(error: Error): void;
    getOption(level: number, option: number, value: Buffer, length: number): number;
    setOption(level: number, option: number, value: number): void;
    setOption(level: number, option: number, value: Buffer, length: number): void;
    send(buffer: Buffer, offset: number, length: number, address: string, sent: (error: Error | null) => void): this;
    close(): this;
    on(event: 'message', listener: (packet: Buffer, source: string) => void): this;
  }

  const raw: { readonly Socket: typeof Socket };
  export default raw;
}
