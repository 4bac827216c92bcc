/**
 * A session's open account: the worker keeps it in the run directory as RUNDIR/accounts/ID.json, and removes it when
 * the `ended` record is in the accounting file. An account whose session no longer exists is owed (owed.ts).
 */
import { rmSync } from 'node:fs';
import { accountPath } from '../session/paths.js';
import { writeWholeInFolder } from '../session/whole-file.js';
import { appendRecord } from './append.js';
import type { AccountRecord } from './record.js';

export interface OpenAccount {
  /** The accounting file; the configuration may have changed since. */
  readonly file: string;
  /** Start of the session by `monotonicSeconds` (sys/clock). */
  readonly startedAt: number;
  /** The record so far. If it is an `ended` record, the accounting file may already contain it. */
  readonly record: AccountRecord;
}

/** Writes the account atomically, and creates the directory if it was removed. Throws the file system's error. */
export function keepAccount(runDirectory: string, account: OpenAccount): void {
  writeWholeInFolder(accountPath(runDirectory, account.record.session), account);
}

/**
 * Writes the `ended` record to the accounting file. It is first kept as `ended`, so that whoever finds it knows that it
 * may have been written; if that fails (a full run directory), the record is written all the same. Rejects with the
 * system's error; the account is then owed.
 */
export async function closeAccount(runDirectory: string, account: OpenAccount): Promise<void> {
  try {
    keepAccount(runDirectory, account);
  } catch {
    // An account that was kept before stays until the record is written.
  }
  await appendRecord(account.file, account.record);
  dropAccount(runDirectory, account.record.session);
}

/** Removes the account. */
export const dropAccount = (runDirectory: string, id: string): void =>
  rmSync(accountPath(runDirectory, id), { force: true });
