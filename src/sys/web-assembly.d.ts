/** Types for the part of WebAssembly that the program uses; Node's types leave them to the browser's. */
declare namespace WebAssembly {
  // oxlint-disable-next-line typescript/no-extraneous-class -- a module has no members that we use
  class Module {
    constructor(octets: Uint8Array);
  }
  class Memory {
    constructor(limits: { readonly initial: number; readonly maximum: number });
    readonly buffer: ArrayBuffer;
  }
  class Global {
    readonly value: number;
  }
  class Instance {
    constructor(module: Module, imports: { readonly env: { readonly memory: Memory } });
    readonly exports: Record<string, unknown>;
  }
}
