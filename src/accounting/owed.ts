/**
 * Accounts that nobody has closed: their worker died, or met a full disk at its end, or the machine stopped and took the run
 * directory with it. The manager, or the next one, closes them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { accountPath, runPaths } from '../session/paths.js';
import { listSessionIds } from '../session/record.js';
import { closeAccount, dropAccount, type OpenAccount } from './open-account.js';
import { hasEnd, readRecords } from './read.js';
import { accountRecord, type AccountRecord } from './record.js';

const openAccount: z.ZodType<OpenAccount> = z.object({
  file: z.string(),
  startedAt: z.number(),
  record: accountRecord,
});

/** The owed accounts. A worker opens its account after its session's record, and closes it before it removes that. */
export function listOwed(runDirectory: string): OpenAccount[] {
  let names: string[];
  try {
    names = readdirSync(runPaths(runDirectory).accounts);
  } catch {
    return [];
  }
  const ids = names.flatMap((name) => /^([a-z0-9]{6})\.json$/.exec(name)?.[1] ?? []);
  if (ids.length === 0) return [];
  const living = new Set(listSessionIds(runDirectory));
  return ids.filter((id) => !living.has(id)).flatMap((id) => readAccount(runDirectory, id) ?? []);
}

/** null when it has been closed meanwhile, or is no account. */
function readAccount(runDirectory: string, id: string): OpenAccount | null {
  try {
    return openAccount.parse(JSON.parse(readFileSync(accountPath(runDirectory, id), 'utf8')));
  } catch {
    return null;
  }
}

/**
 * Closes an owed account. One that says `ended` already may have been written by the worker just before it died; others
 * end by `died`, what the manager knows. Rejects with what the system says; then it stays owed.
 */
export async function closeOwed(
  runDirectory: string,
  account: OpenAccount,
  died: (account: OpenAccount) => OpenAccount['record'],
): Promise<void> {
  const { file, record } = account;
  if (record.record === 'ended' && (await hasEnd(file, record))) dropAccount(runDirectory, record.session);
  else await closeAccount(runDirectory, record.record === 'ended' ? account : { ...account, record: died(account) });
}

/**
 * The last interim records of this host's sessions that have no end in the file, and that began before `time` (ISO 8601):
 * what is left of them when the machine has lost its run directory. Rejects with what the system says.
 */
export async function listLost(file: string, host: string, time: string): Promise<AccountRecord[]> {
  const open = new Map<string, AccountRecord>();
  for await (const record of readRecords(file, host)) {
    if (record.host !== host || record.start >= time) continue;
    const key = `${record.session} ${record.start}`;
    if (record.record === 'ended') open.delete(key);
    else open.set(key, record);
  }
  return [...open.values()];
}
