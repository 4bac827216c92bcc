/** The check of the folders of files with passwords: a user who can write there can replace the files. */
import { dirname } from 'node:path';
import type { Configuration } from '../config/schema.js';
import { pppSettings } from '../config/ppp-settings.js';
import { bad, type Check, type Outcome } from './check.js';
import type { Machine } from './machine.js';

const WRITABLE_BY_OTHERS = 0o022;
/** Others may add files there, but not replace those of root's. */
const STICKY = 0o1000;

/** Reports nothing if all is well. */
export const secretFolders: Check = {
  name: 'folders',
  fatal: false,
  engine: 'builtin',
  run(configuration, machine) {
    return [...filesByFolder(configuration)].flatMap(([folder, files]) => problemOf(folder, files, machine) ?? []);
  },
};

/** The files that root reads, and the folders above them. */
function filesByFolder({ accounts, ppp, radius }: Configuration): ReadonlyMap<string, readonly string[]> {
  const shared = [...(radius?.servers ?? []), ...(radius?.dynamic?.clients ?? [])].map(({ secretFile }) => secretFile);
  const files = radius === undefined ? [accounts.file, pppSettings(ppp).secrets] : shared;
  const folders = new Map<string, readonly string[]>();
  for (const file of new Set(files))
    for (const folder of foldersAbove(file)) folders.set(folder, [...(folders.get(folder) ?? []), file]);
  return folders;
}

function problemOf(folder: string, files: readonly string[], machine: Machine): Outcome | null {
  const [mode, owner] = [machine.mode(folder), machine.owner(folder)];
  if (mode === null || owner === null) return null;
  const what = `${files.join(', ')}: others than root can write to ${folder}, and so put another file in ${files.length === 1 ? 'its' : 'their'} place`;
  if (owner !== 0) return bad(what, `chown root ${folder}`);
  // If the file is missing, somebody else may create it.
  const isProtected = (mode & STICKY) !== 0 && files.every((file) => machine.mode(file) !== null);
  return (mode & WRITABLE_BY_OTHERS) === 0 || isProtected ? null : bad(what, `chmod go-w ${folder}`);
}

/** The last one is the root. */
function foldersAbove(file: string): string[] {
  const folder = dirname(file);
  return folder === file ? [] : [folder, ...foldersAbove(folder)];
}
