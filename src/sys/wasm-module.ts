/** Loads compiled WebAssembly modules (scripts/build puts them into dist/src/wasm), each once per process. */
import { readFileSync } from 'node:fs';

const compiled = new Map<string, WebAssembly.Module>();

/** Throws when the build did not include the module. */
export function wasmModule(name: string): WebAssembly.Module {
  // The ctrl worker is one file in dist/src/ctrl, so the path is valid there as well.
  const module =
    compiled.get(name) ?? new WebAssembly.Module(readFileSync(new URL(`../wasm/${name}.wasm`, import.meta.url)));
  compiled.set(name, module);
  return module;
}
