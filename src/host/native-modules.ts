/**
 * The npm packages with native parts, and what it means that one does not load: raw-socket is compiled for one major version
 * of Node.js, each for one kind of machine.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const NATIVE_MODULES = ['koffi', 'node-pty', 'raw-socket'] as const;

const SETUP = fileURLToPath(new URL('../../../scripts/setup', import.meta.url));

/** The remedy for all of them, as an imperative without a full stop. A Debian package has no scripts. */
export const nativeRemedy = (): string =>
  existsSync(SETUP)
    ? `run ${SETUP}`
    : `install a package that scripts/package has built with Node.js ${process.version}, or the Node.js that this one was built with`;

/** What it means, by the error code of Node.js. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ERR_DLOPEN_FAILED: `does not load: it was built for another Node.js than ${process.version}, or for another machine`,
  ERR_MODULE_NOT_FOUND: 'is missing',
  MODULE_NOT_FOUND: 'is missing, or was not built',
};

/** Why the native module `name` does not load, which Node.js has refused with `error`. */
export const nativeProblem = (name: string, { code = '', message }: NodeJS.ErrnoException): string =>
  `the native module ${name} ${PROBLEMS[code] ?? `does not load: ${message.split('\n', 1).join()}`}`;
