/**
 * The session's record in the run directory: what to clean up if its worker dies. The worker writes it before it reports
 * `adopted`, and again when a call begins or ends, or agrees on an address that is not the lease's; it removes it last. A
 * record whose worker is dead is therefore a dead session: the manager ends its pppd, or the standby that was to become
 * one, and removes the record.
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { parse } from 'node:path';
import * as z from 'zod';
import { isSessionId, runPaths, sessionRecordPath } from './paths.js';

/** The start time (/proc/PID/stat field 22, clock ticks since boot) tells a process from a later one with the same id. */
const processIdentity = z.object({ pid: z.number().int().positive(), startTime: z.string() });

const sessionRecord = z.object({
  session: z.string(),
  lease: z.object({
    local: z.string().nullable(),
    remote: z.string().nullable(),
    callId: z.number().int().min(1).max(65535),
  }),
  worker: processIdentity,
  pppd: processIdentity.nullable(),
  /** The client's address as PPP negotiated it, if it differs from the lease's. */
  agreedRemote: z.string().optional(),
});

export type SessionRecord = z.infer<typeof sessionRecord>;

/**
 * The record of session `id`; null if there is none, it is invalid, or it is another session's. Only a regular file is
 * read, because reading a named pipe would block.
 */
export function readRecord(runDirectory: string, id: string): SessionRecord | null {
  const path = sessionRecordPath(runDirectory, id);
  try {
    if (!lstatSync(path).isFile()) return null;
    const record = sessionRecord.parse(JSON.parse(readFileSync(path, 'utf8')));
    return record.session === id ? record : null;
  } catch {
    return null;
  }
}

/** The ids of the sessions that have a socket or a record in the run directory, sorted; none if it is missing. */
export const listSessionIds = (runDirectory: string): string[] =>
  sessionIdsIn(runPaths(runDirectory).sessions, ['.sock', '.json']);

/** The ids of the sessions that have a file with one of these endings in a folder, sorted; none if it is missing. */
export function sessionIdsIn(folder: string, endings: readonly string[]): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const ids = names.flatMap((name) => {
    const { name: id, ext } = parse(name);
    return endings.includes(ext) && isSessionId(id) ? id : [];
  });
  return [...new Set(ids)].toSorted();
}
