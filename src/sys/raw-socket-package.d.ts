/** Types for the part of the package raw-socket that program and tests use; the package has none. */
declare module 'raw-socket' {
  import { EventEmitter } from 'node:events';

  namespace raw {
    class Socket extends EventEmitter {
      constructor(options: { protocol: number; bufferSize?: number });
      onError(error: Error): void;
      getOption(level: number, option: number, value: Buffer, length: number): number;
      setOption(level: number, option: number, value: number): void;
      setOption(level: number, option: number, value: Buffer, length: number): void;
      send(buffer: Buffer, offset: number, length: number, address: string, sent: (error: Error | null) => void): this;
      close(): this;
      on(event: 'message', listener: (packet: Buffer, source: string) => void): this;
    }
  }
  export default raw;
}
