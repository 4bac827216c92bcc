/** The program's version from package.json, for logs, sockets and the firmware revision in PPTP messages. */
import { readFileSync } from 'node:fs';

const packageJson = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

/** As in package.json, such as `1.2.3`. */
export const version = packageJson.version;

/** Major and minor version in one 16-bit number: the firmware revision of RFC 2637 §2.2. */
export const versionNumber = ((major: string, minor: string): number => (Number(major) << 8) | Number(minor))(
  version.split('.')[0] ?? '0',
  version.split('.')[1] ?? '0',
);
