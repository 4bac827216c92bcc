/**
 * Accounts that nobody has closed: their worker died, or met a full disk at its end. The manager, or the next one,
 * closes them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { accountPath, runPaths } from '../session/paths.js';
import { listSessionIds } from '../session/record.js';
import { closeAccount, dropAccount, type OpenAccount } from './open-account.js';
import { hasEnd } from './read.js';
import { accountRecord } from './record.js';

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
