/** The ended sessions in the accounting file. */
import { readRecords } from '../accounting/read.js';
import type { AccountRecord } from '../accounting/record.js';
import { isSelected, type Selection } from './selection.js';

export interface EndedFilter extends Selection {
  /** Milliseconds since the epoch; only sessions that ended at that time or later. */
  readonly since?: number;
}

/** Sorted by their end, the newest last. Throws the system's error if the file cannot be read. */
export async function endedSessions(file: string, { since = 0, ...selection }: EndedFilter): Promise<AccountRecord[]> {
  const ended: AccountRecord[] = [];
  for await (const record of readRecords(file)) {
    if (record.record !== 'ended' || Date.parse(record.end) < since) continue;
    const { user, client, tunnel } = record;
    if (isSelected(selection, { user, client, address: tunnel.remote })) ended.push(record);
  }
  return ended.toSorted((a, b) => Date.parse(a.end) - Date.parse(b.end));
}
