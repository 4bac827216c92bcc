/** The quota of an account: its periods by the server's local calendar, and what of it is used. Pure. */

export const PERIODS = ['day', 'month', 'total'] as const;
export type Period = (typeof PERIODS)[number];

export interface Quota {
  /** Of the IP packets in the tunnel, both ways. */
  readonly octets: number;
  readonly per: Period;
}

/** Octets by period: `2026-11-28`, `2026-11` and `total`. */
export type UsedOctets = ReadonlyMap<string, number>;
export const NOTHING_USED: UsedOctets = new Map();

const twoDigits = (number: number): string => String(number).padStart(2, '0');

/** The name of the period at `now` (ms since the epoch). A clock that is set back is in the earlier period again. */
export function periodAt(per: Period, now: number): string {
  if (per === 'total') return per;
  const date = new Date(now);
  const month = `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}`;
  return per === 'month' ? month : `${month}-${twoDigits(date.getDate())}`;
}

/** When the quota begins anew, ms since the epoch; null: never. */
export function periodEnd(per: Period, now: number): number | null {
  if (per === 'total') return null;
  const date = new Date(now);
  const [year, month] = [date.getFullYear(), date.getMonth()];
  return (per === 'month' ? new Date(year, month + 1) : new Date(year, month, date.getDate() + 1)).getTime();
}

export const usedOf = ({ per }: Quota, used: UsedOctets, now: number): number => used.get(periodAt(per, now)) ?? 0;
