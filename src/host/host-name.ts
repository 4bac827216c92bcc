/** The address of a host name by the machine's own rules (hosts file, DNS), and at once: Node's own look-up is asynchronous. */
import { spawnSync } from 'node:child_process';

/** A name server that does not answer; milliseconds. */
const TIMEOUT_MS = 10_000;

/** The first IPv4 address that the machine knows for the name; null when it knows none. */
export function addressOfHost(name: string): string | null {
  const { status, stdout } = spawnSync('getent', ['ahostsv4', name], { encoding: 'utf8', timeout: TIMEOUT_MS });
  return status === 0 ? (/^\S+/.exec(stdout)?.[0] ?? null) : null;
}
