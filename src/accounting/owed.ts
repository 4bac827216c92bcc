/**
 * Owed accounts: those left open because the worker died, the disk was full, or the machine stopped and lost its run
 * directory. The manager closes them, if necessary after its next start.
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { accountPath, runPaths } from '../session/paths.js';
import { listSessionIds, sessionIdsIn } from '../session/record.js';
import { closeAccount, dropAccount, type OpenAccount } from './open-account.js';
import { hasEnd, readRecords } from './read.js';
import { accountRecord, type AccountRecord } from './record.js';

const openAccount: z.ZodType<OpenAccount> = z.object({
  file: z.string(),
  startedAt: z.number(),
  record: accountRecord,
});

/**
 * Lists the owed accounts. A worker opens its account after it has written its session's record, and closes the account
 * before it removes that record.
 */
export function listOwed(runDirectory: string): OpenAccount[] {
  const ids = sessionIdsIn(runPaths(runDirectory).accounts, ['.json']);
  if (ids.length === 0) return [];
  const living = new Set(listSessionIds(runDirectory));
  return ids.filter((id) => !living.has(id)).flatMap((id) => readAccount(runDirectory, id) ?? []);
}

/** null when it was closed meanwhile, or is not an account. */
function readAccount(runDirectory: string, id: string): OpenAccount | null {
  try {
    return openAccount.parse(JSON.parse(readFileSync(accountPath(runDirectory, id), 'utf8')));
  } catch {
    return null;
  }
}

/**
 * Closes an owed account. The worker may already have written an `ended` record before it died; for other accounts
 * `died` supplies the record. Rejects with the system's error; the account then stays owed.
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
 * The last interim records of this host's sessions that began before `time` (ISO 8601) and have no `ended` record: all
 * that is left when the machine has lost its run directory. Rejects with the system's error.
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
