/**
 * The npm packages with native parts, and why one may not load: raw-socket is compiled for one major version of
 * Node.js, all of them for one architecture.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const NATIVE_MODULES = ['koffi', 'node-pty', 'raw-socket'] as const;
type NativeModule = (typeof NATIVE_MODULES)[number];

const PROGRAM = fileURLToPath(new URL('../../..', import.meta.url));

/** The remedy, as an imperative without a full stop. Only a clone has scripts/setup. */
export function nativeRemedy(): string {
  const setup = join(PROGRAM, 'scripts/setup');
  if (existsSync(setup)) return `run ${setup}`;
  if (/\/node_modules\/pptpd-ts\/?$/.test(PROGRAM)) return 'install the npm package again, with this Node.js';
  return `install a package that was built with Node.js ${process.version}, or install the Node.js that this package was built with`;
}

/** The problem, by Node.js error code. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ERR_DLOPEN_FAILED: `does not load: it was built for a Node.js other than ${process.version}, or for another architecture`,
  ERR_MODULE_NOT_FOUND: 'is missing',
  MODULE_NOT_FOUND: 'is missing, or was not built',
};

/** Why the native module `name` does not load; `error` is what Node.js threw. */
export const nativeProblem = (name: string, { code = '', message }: NodeJS.ErrnoException): string =>
  `the native module ${name} ${PROBLEMS[code] ?? `does not load: ${message.split('\n', 1).join()}`}`;

/** Loads native modules; calls `fail` for the first that does not load. */
export function requireNativeModules(
  names: readonly NativeModule[],
  fail: (problem: string, remedy: string) => never,
): void {
  const load = createRequire(import.meta.url);
  for (const name of names) {
    try {
      load(name);
    } catch (error) {
      fail(nativeProblem(name, error as NodeJS.ErrnoException), nativeRemedy());
    }
  }
}
