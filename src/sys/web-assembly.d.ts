/** The part of the WebAssembly interface that we use: Node's types leave it to those of the browser. */
declare namespace WebAssembly {
  // oxlint-disable-next-line typescript/no-extraneous-class -- a module shows nothing of itself
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
