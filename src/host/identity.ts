/** A process's user and capabilities, and whether a set-uid program may still become root. */
import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';

/** Bits of capabilities(7). */
const BITS = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  NET_BIND_SERVICE: 10,
  NET_ADMIN: 12,
  NET_RAW: 13,
} as const;

export type Capability = keyof typeof BITS;

export interface Identity {
  /** Effective user id. */
  readonly uid: number;
  /** Effective capabilities, as bits. */
  readonly capabilities: bigint;
  /** Capabilities that set-uid programs can get, as bits. */
  readonly bounding: bigint;
  /** Set-uid programs gain no privileges. */
  readonly noNewPrivileges: boolean;
}

/** Parses the text of /proc/PID/status. */
export function parseIdentity(status: string): Identity {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:\\s*(?:\\d+\\s+)?([0-9a-f]+)`, 'm').exec(status)?.[1];
  return {
    uid: Number(field('Uid') ?? 0),
    capabilities: BigInt(`0x${field('CapEff') ?? '0'}`),
    bounding: BigInt(`0x${field('CapBnd') ?? 'ffffffffffffffff'}`),
    noNewPrivileges: field('NoNewPrivs') === '1',
  };
}

export const missing = (held: bigint, needed: readonly Capability[]): Capability[] =>
  needed.filter((name) => ((held >> BigInt(BITS[name])) & 1n) === 0n);

/** The name of this process's user; its number if it has no name, as in a container. */
export function ownUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.());
  }
}

/**
 * Describes in one sentence as which user each part runs. Manager and workers run alike, since children inherit both
 * user and capabilities. `pppd`: path of the program; null: the builtin engine is used.
 */
export function whoRunsAsWhat(pppd: string | null): string {
  const { uid, capabilities } = parseIdentity(readFileSync('/proc/self/status', 'latin1'));
  if (uid === 0)
    return 'all processes run as root, including those that read the network (set "user" in the configuration to change that)';
  const held =
    capabilities === 1n << BigInt(BITS.NET_RAW) ? 'only CAP_NET_RAW' : `capabilities 0x${capabilities.toString(16)}`;
  const workers = `manager and workers run as ${ownUser()} (uid ${uid}) with ${held}`;
  if (pppd === null) return `${workers}; the monitor runs as root and reads no network`;
  const isSetUid = ((statSync(pppd, { throwIfNoEntry: false })?.mode ?? 0) & 0o4000) !== 0;
  return `${workers}; pppd runs as ${isSetUid ? 'root (set-uid)' : 'the same user'}`;
}
