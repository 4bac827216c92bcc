/**
 * A session's account while it is open: kept in the run directory, as RUNDIR/accounts/ID.json, by the worker, and gone
 * when its `ended` record stands in the accounting file. An account without a session beside it is owed (owed.ts).
 */
import { rmSync } from 'node:fs';
import { accountPath } from '../session/paths.js';
import { writeWholeInFolder } from '../session/whole-file.js';
import { appendRecord } from './append.js';
import type { AccountRecord } from './record.js';

export interface OpenAccount {
  /** The accounting file: the configuration may name another one by now. */
  readonly file: string;
  /** When the session began, by `monotonicSeconds` (sys/clock). */
  readonly startedAt: number;
  /** What is known; when it says `ended`, it may stand in the file already. */
  readonly record: AccountRecord;
}

/** Keeps it, whole or not at all; makes the directory that somebody has removed. Throws what the file system says. */
export function keepAccount(runDirectory: string, account: OpenAccount): void {
  writeWholeInFolder(accountPath(runDirectory, account.record.session), account);
}

/**
 * Writes the end to the accounting file. It is kept as `ended` first, so that whoever finds it knows that it may have been
 * written; where that cannot be (a full run directory) the record is no less due. Rejects with what the system says;
 * then it is owed.
 */
export async function closeAccount(runDirectory: string, account: OpenAccount): Promise<void> {
  try {
    keepAccount(runDirectory, account);
  } catch {
    // What was kept before, if anything, stays until the record is there.
  }
  await appendRecord(account.file, account.record);
  dropAccount(runDirectory, account.record.session);
}

/** Nothing of it is owed any more. */
export const dropAccount = (runDirectory: string, id: string): void =>
  rmSync(accountPath(runDirectory, id), { force: true });
