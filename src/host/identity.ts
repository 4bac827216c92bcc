/** Who a process is to the kernel: user, capabilities, and whether a set-uid program may still become root. */
import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';

/** Bits of capabilities(7). */
const BITS = { DAC_OVERRIDE: 1, SETGID: 6, SETUID: 7, NET_BIND_SERVICE: 10, NET_ADMIN: 12, NET_RAW: 13 } as const;

export type Capability = keyof typeof BITS;

export interface Identity {
  /** Effective. */
  readonly uid: number;
  /** Effective, as bits. */
  readonly capabilities: bigint;
  /** What set-uid programs can get, as bits. */
  readonly bounding: bigint;
  /** Set-uid programs get nothing. */
  readonly noNewPrivileges: boolean;
}

/** From the text of a /proc/PID/status. */
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

/** The name of the user that this process is; its number where it has none (a container's). */
export function ownUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.());
  }
}

/** Who runs as what, in one sentence: manager and workers are alike, since a child has what its parent had. */
export function whoRunsAsWhat(pppd: string): string {
  const { uid, capabilities } = parseIdentity(readFileSync('/proc/self/status', 'latin1'));
  if (uid === 0)
    return 'everything runs as root, what reads the network too ("user" in the configuration changes that)';
  const held =
    capabilities === 1n << BigInt(BITS.NET_RAW) ? 'CAP_NET_RAW alone' : `capabilities 0x${capabilities.toString(16)}`;
  const isSetUid = ((statSync(pppd, { throwIfNoEntry: false })?.mode ?? 0) & 0o4000) !== 0;
  return `manager and workers run as ${ownUser()} (uid ${uid}) with ${held}, pppd ${isSetUid ? 'by its set-uid bit as root' : 'as they do'}`;
}
