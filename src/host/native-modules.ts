/**
 * The npm packages with native parts, and why one may not load: raw-socket is compiled for one major version of
 * Node.js, all of them for one architecture.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const NATIVE_MODULES = ['koffi', 'node-pty', 'raw-socket'] as const;

const SETUP = fileURLToPath(new URL('../../../scripts/setup', import.meta.url));

/** The remedy, as an imperative without a full stop. A Debian package does not contain scripts/setup. */
export const nativeRemedy = (): string =>
  existsSync(SETUP)
    ? `run ${SETUP}`
    : `install a package that was built with Node.js ${process.version}, or install the Node.js that this package was built with`;

/** The problem, by Node.js error code. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ERR_DLOPEN_FAILED: `does not load: it was built for a Node.js other than ${process.version}, or for another architecture`,
  ERR_MODULE_NOT_FOUND: 'is missing',
  MODULE_NOT_FOUND: 'is missing, or was not built',
};

/** Why the native module `name` does not load; `error` is what Node.js threw. */
export const nativeProblem = (name: string, { code = '', message }: NodeJS.ErrnoException): string =>
  `the native module ${name} ${PROBLEMS[code] ?? `does not load: ${message.split('\n', 1).join()}`}`;
