/** When an account expires, and why its user cannot log in: disabled, expired, quota used up. Pure. */
import { NOTHING_USED, type UsedOctets, usedOf } from './quota.js';
import type { User } from './user.js';

type Dates = Pick<User, 'expires' | 'expiresAfter' | 'firstLogin'>;

/** A day (midnight of the server's time) or a time with its zone; milliseconds since the epoch. */
export const timeOf = (text: string): number => Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text);

/** Milliseconds since the epoch; null: never, or not yet known. */
export function expiryOf({ expires, expiresAfter, firstLogin }: Dates): number | null {
  const ends = [
    ...(expires === undefined ? [] : [timeOf(expires)]),
    ...(expiresAfter === undefined || firstLogin === undefined ? [] : [timeOf(firstLogin) + expiresAfter * 1000]),
  ];
  return ends.length === 0 ? null : Math.min(...ends);
}

export type Hindrance = 'disabled' | 'expired' | 'quota';

/** Why this user cannot log in and its sessions end; null: it can log in. `now`: ms since the epoch. */
export function hindranceOf(
  user: Dates & Pick<User, 'disabled' | 'quota'>,
  now: number,
  used: UsedOctets = NOTHING_USED,
): Hindrance | null {
  if (user.disabled === true) return 'disabled';
  const end = expiryOf(user);
  if (end !== null && now >= end) return 'expired';
  return user.quota !== undefined && usedOf(user.quota, used, now) >= user.quota.octets ? 'quota' : null;
}
