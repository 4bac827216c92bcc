/** Compiled WebAssembly modules (scripts/build puts them into dist/src/wasm), read once a process. */
import { readFileSync } from 'node:fs';

const compiled = new Map<string, WebAssembly.Module>();

/** Throws when the build has left it out. */
export function wasmModule(name: string): WebAssembly.Module {
  // The ctrl worker is one file in dist/src/ctrl, so that the path holds there as well.
  const module =
    compiled.get(name) ?? new WebAssembly.Module(readFileSync(new URL(`../wasm/${name}.wasm`, import.meta.url)));
  compiled.set(name, module);
  return module;
}
