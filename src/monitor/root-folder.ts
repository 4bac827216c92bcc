/**
 * The monitor's folder lies beside the run directory, which belongs to the server's user: whoever has taken over a process of
 * that user could otherwise put a socket of root's, or an earlier state of the monitor, in the place of the right one.
 */
import { accessSync, chmodSync, constants, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { folderFailure } from '../host/folder.js';

const MODE = 0o755;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/** Makes the folder `path` unless it exists. Throws a sentence when root cannot write to it, or others could replace it. */
export function makeRootFolder(path: string): void {
  const folder = join(realpathSync(dirname(path)), basename(path));
  for (const each of ancestors(folder)) requireRoots(each, path, STICKY);
  try {
    mkdirSync(folder, { mode: MODE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new Error(folderFailure(folder, error), { cause: error });
    }
  }
  requireRoots(folder, path, 0);
  try {
    // The unit's umask would let root alone enter it, but workers and manager connect to the socket there.
    chmodSync(folder, MODE);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new Error(folderFailure(folder, error, 'write to'), { cause: error });
  }
}

/** `tolerated`: a bit of the mode with which others may write there all the same. */
function requireRoots(folder: string, path: string, tolerated: number): void {
  const status = lstatSync(folder);
  const isWritable = (status.mode & WRITABLE_BY_OTHERS) !== 0 && (status.mode & tolerated) === 0;
  if (status.isDirectory() && status.uid === 0 && !isWritable) return;
  throw new Error(
    `the monitor cannot use ${path}: users other than root can change ${folder}. ` +
      'Set runDirectory to a folder below one that root alone can write to, such as /run/pptpd-ts.',
  );
}

/** The parent folders, the root first. */
function ancestors(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [] : [...ancestors(above), above];
}
