/** The part of raw-socket that src/gre/gre-socket.ts uses; the package brings no types. */
declare module 'raw-socket' {
  import { EventEmitter } from 'node:events';

  class Socket extends EventEmitter {
    constructor(options: { protocol: number; bufferSize?: number });
    /** The poll's callback: the constructor binds it, so that a subclass takes over what a readable socket does. */
    onRecvReady(): void;
    onError(error: Error): void;
    getOption(level: number, option: number, value: Buffer, length: number): number;
    pauseRecv(): this;
    close(): this;
  }

  const raw: { readonly Socket: typeof Socket };
  export default raw;
}
