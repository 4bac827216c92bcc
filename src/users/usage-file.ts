/**
 * The usage file, beside the accounts file: how many octets each account has used, and how much of each call is included.
 * A call's octets are those of its interface since its beginning, so counting the same octets twice changes nothing, even if
 * a process dies meanwhile.
 */
import { readFileSync, statSync } from 'node:fs';
import { changeFile } from './locked-file.js';
import { NOTHING_USED, periodAt, PERIODS, type UsedOctets } from './quota.js';

/** Periods of an account that are kept, the last used ones: a clock that jumps finds its earlier period again. */
const KEPT_PERIODS = 16;
/** Calls that are kept, the last used ones: those of a machine that stopped are never removed. */
const KEPT_CALLS = 10_000;

export interface Usage {
  readonly accounts: Map<string, Map<string, number>>;
  readonly calls: Map<string, number>;
}

export interface Reading {
  /** No other call has or had this id. */
  readonly call: string;
  /** The account's name. */
  readonly name: string;
  /** Since the beginning of the call. */
  readonly octets: number;
}

/** /var/lib/pptpd-ts/accounts.json: accounts.usage.json in the same folder. */
export const usageFileOf = (accounts: string): string => `${accounts.replace(/\.json$/, '')}.usage.json`;

export const noUsage = (): Usage => ({ accounts: new Map(), calls: new Map() });

export const usedBy = ({ accounts }: Usage, name: string): UsedOctets => accounts.get(name) ?? NOTHING_USED;

/** Idempotent. Adds what the call has carried since it was counted last to the periods at `now`, ms since the epoch. */
export function count({ accounts, calls }: Usage, { call, name, octets }: Reading, now: number): void {
  const before = calls.get(call) ?? 0;
  putLast(calls, call, Math.max(before, octets), KEPT_CALLS);
  const more = octets - before;
  if (more <= 0) return;
  const periods = accounts.get(name) ?? new Map<string, number>();
  accounts.set(name, periods);
  for (const per of PERIODS) {
    const period = periodAt(per, now);
    putLast(periods, period, (periods.get(period) ?? 0) + more, KEPT_PERIODS);
  }
}

function putLast(map: Map<string, number>, key: string, value: number, kept: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= kept) return;
    map.delete(oldest);
  }
}

export function writeUsage({ accounts, calls }: Usage): string {
  const list = Array.from(accounts, ([name, periods]) => ({ name, octets: Object.fromEntries(periods) }));
  return `${JSON.stringify({ accounts: list, calls: Object.fromEntries(calls) }, null, 2)}\n`;
}

/** null: it is not what `writeUsage` writes. */
export function parseUsage(text: string): Usage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value) || !Array.isArray(value['accounts'])) return null;
  const calls = numbersOf(value['calls']);
  const accounts = new Map<string, Map<string, number>>();
  for (const account of value['accounts'] as unknown[]) {
    const octets = isObject(account) ? numbersOf(account['octets']) : null;
    if (!isObject(account) || typeof account['name'] !== 'string' || octets === null) return null;
    accounts.set(account['name'], octets);
  }
  return calls === null ? null : { accounts, calls };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function numbersOf(value: unknown): Map<string, number> | null {
  if (!isObject(value)) return null;
  const numbers = new Map<string, number>();
  for (const [key, number] of Object.entries(value)) {
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) return null;
    numbers.set(key, number);
  }
  return numbers;
}

/** The file as it is now; null: it cannot be used, or does not exist. */
export function readUsage(path: string): Usage | null {
  try {
    return parseUsage(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/** Changes whenever the file does; null: it is missing or cannot be reached. */
export function usageVersion(path: string): string | null {
  try {
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    return [ino, size, mtimeNs].join(':');
  } catch {
    return null;
  }
}

/** Changes the file under its lock; `instead`: in place of one that cannot be used. Resolves with the new usage. */
export async function changeUsage(path: string, instead: Usage, change: (usage: Usage) => void): Promise<Usage> {
  return changeFile({
    path,
    initial: Buffer.from(writeUsage(noUsage())),
    change: (content) => {
      const usage = parseUsage(content.toString()) ?? instead;
      change(usage);
      return { content: Buffer.from(writeUsage(usage)), result: usage };
    },
  });
}

/** Removes the usage of an account, so that a later one of the same name starts from zero. */
export async function forgetUsage(path: string, name: string): Promise<void> {
  if (readUsage(path)?.accounts.has(name) !== true) return;
  await changeUsage(path, noUsage(), ({ accounts }) => void accounts.delete(name));
}
