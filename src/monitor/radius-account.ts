/** The account of one call for RADIUS: from the moment the tunnel carries packets until the call is over. Pure. */
import type { AccountRecord, Amount } from '../radius/protocol.js';

/** RFC 2866 §5.10: what the monitor itself notices. */
export const TERMINATE = { userRequest: 1, nasError: 9 } as const;
/** RFC 2869 §5.16: a shorter interval floods servers. */
const SHORTEST_INTERIM = 60;
/** As in the configuration; timers can count no more than 24 days. */
const MAX_INTERIM = 86_400;

export interface Amounts {
  readonly received: Amount;
  readonly sent: Amount;
}

/** What the state folder keeps of it. */
export interface SavedAccount extends Pick<AccountRecord, 'id' | 'name' | 'classes' | 'port' | 'client' | 'address'> {
  /** Seconds since 1970. */
  readonly since: number;
  /** Seconds between interim records; 0: none. */
  readonly interim: number;
  readonly amounts: Amounts;
}

export const NO_AMOUNTS: Amounts = { received: { octets: 0, packets: 0 }, sent: { octets: 0, packets: 0 } };

/** `now`: seconds since 1970. */
export const recordOf = (
  { since, interim: _interim, amounts, ...rest }: SavedAccount,
  status: AccountRecord['status'],
  now: number,
  cause: number | null = null,
): AccountRecord => ({ ...rest, ...amounts, status, at: now, seconds: Math.max(0, now - since), cause });

/** Seconds between interim records: the server's wish counts, within the limits; 0: none. */
export const interimOf = (configured: number, wish: number | null): number => {
  const seconds = wish === null || wish === 0 ? configured : wish;
  return seconds === 0 ? 0 : Math.min(Math.max(SHORTEST_INTERIM, seconds), MAX_INTERIM);
};
