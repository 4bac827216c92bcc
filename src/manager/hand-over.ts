/**
 * Gives the server's user a run directory that was root's, as it is after the server has run with the other engine: its
 * sessions may go on. Only root could write there, so nothing in it is anybody's trap.
 */
import { constants, lchownSync, lstatSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { folderFailure } from '../host/folder.js';
import type { UnixUser } from '../host/unix-user.js';
import { runPaths } from '../session/paths.js';

const WRITABLE_BY_OTHERS = 0o022;

/** Throws a sentence, before anything has changed, when the folder has files of others, as /run has, or is read-only. */
export function handOver(runDirectory: string, account: Pick<UnixUser, 'uid' | 'gid'>): void {
  if (!isRootsFolder(runDirectory)) return;
  const ours = Object.values(runPaths(runDirectory)).map((path) => basename(path));
  // Whoever replaces a file writes it beside, with an ending.
  const other = readdirSync(runDirectory).find((name) => !ours.some((our) => name === our || name === `${our}.new`));
  if (other !== undefined)
    throw new Error(
      `runDirectory is ${runDirectory}, which belongs to root and has files that are not the server's (${other}); remedy: set runDirectory to a folder that nothing else uses, such as /run/pptpd-ts`,
    );
  try {
    give(runDirectory, account);
  } catch (error) {
    throw new Error(folderFailure(runDirectory, error, 'write to'), { cause: error });
  }
}

function give(path: string, { uid, gid }: Pick<UnixUser, 'uid' | 'gid'>): void {
  if (isRootsFolder(path)) for (const name of readdirSync(path)) give(join(path, name), { uid, gid });
  else if (lstatSync(path).uid !== 0 || isFolder(path)) return;
  lchownSync(path, uid, gid);
}

const isFolder = (path: string): boolean => (lstatSync(path).mode & constants.S_IFMT) === constants.S_IFDIR;

/** Nobody else could write there. */
const isRootsFolder = (path: string): boolean =>
  isFolder(path) && lstatSync(path).uid === 0 && (lstatSync(path).mode & WRITABLE_BY_OTHERS) === 0;
