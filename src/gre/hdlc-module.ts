/** The compiled HDLC codec, read once a process; hdlc.ts itself stays free of files. */
import { readFileSync } from 'node:fs';
import { Hdlc } from './hdlc.js';

let compiled: WebAssembly.Module | undefined;

/** A codec with a memory of its own. Throws when the build has left out dist/src/gre/wasm/hdlc.wasm. */
export function createHdlc(): Hdlc {
  // Found from every folder beside this one: the ctrl worker is one file in src/ctrl.
  compiled ??= new WebAssembly.Module(readFileSync(new URL('../gre/wasm/hdlc.wasm', import.meta.url)));
  return new Hdlc(compiled);
}
