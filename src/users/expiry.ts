/** When an account ends, and why it is not in force. Judged by the machine's clock whenever it matters. Pure. */
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

export type Hindrance = 'disabled' | 'expired';

/** Why this user cannot log in, and its sessions end; null: it may. `now`: ms since the epoch. */
export function hindranceOf(user: Dates & Pick<User, 'disabled'>, now: number): Hindrance | null {
  if (user.disabled === true) return 'disabled';
  const end = expiryOf(user);
  return end !== null && now >= end ? 'expired' : null;
}
