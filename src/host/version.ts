/** The program's version, from package.json: one place for logs, sockets and the firmware revision on the wire. */
import { readFileSync } from 'node:fs';

const packageJson = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

/** As in package.json: `1.2.3`. */
export const version = packageJson.version;

/** Major and minor in one 16-bit number, as the firmware revision of RFC 2637 §2.2 holds it. */
export const versionNumber = ((major: string, minor: string): number => (Number(major) << 8) | Number(minor))(
  version.split('.')[0] ?? '0',
  version.split('.')[1] ?? '0',
);
