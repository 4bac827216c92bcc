/**
 * What only root can do before the server is another user's (`user` of the configuration): makes the folders that it writes
 * to, writes its process id where root alone may write, and prints, for bin/pptpd-ts, the arguments of setpriv; nothing
 * without `user`. Folders that are there stay whose they
 * are: root changes nothing that the user could have put in its place. What is wrong with arguments or
 * configuration the manager says, which checks them anyway.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Configuration } from '../config/schema.js';
import { type UnixUser, findUnixUser, identityArguments } from '../host/unix-user.js';
import { configurationPath } from './arguments.js';

const FOLDER_MODE = 0o750;

/** The configuration with a user, or null; without one the check of a whole configuration is not worth its time. */
async function withUser(): Promise<Configuration | null> {
  try {
    const path = configurationPath();
    const input: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof input !== 'object' || input === null || !('user' in input)) return null;
    const { loadConfiguration } = await import('../config/load.js');
    const loaded = loadConfiguration(path);
    return loaded.ok ? loaded.configuration : null;
  } catch {
    return null; // the manager meets it too, and says it
  }
}

/** Within a folder that is the user's the manager makes its own; there root would follow what the user has put. */
function isAlreadyTheirs(folder: string, uid: number): boolean {
  return existsSync(folder) ? statSync(folder).uid === uid : isAlreadyTheirs(dirname(folder), uid);
}

function make(folder: string, { uid, gid }: UnixUser): void {
  if (existsSync(folder) || isAlreadyTheirs(dirname(folder), uid)) return;
  mkdirSync(dirname(folder), { recursive: true });
  mkdirSync(folder, { mode: FOLDER_MODE });
  // By its descriptor, and no link: what was made here, and nothing else.
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  fchownSync(descriptor, uid, gid);
  closeSync(descriptor);
}

/**
 * `pidFile` in a folder of root's, such as /run, which the user must not get. The manager sees that it is done, and says
 * when it is not. The file stays root's: who ends the process that it names has to be able to trust it.
 */
function writePidFile(path: string): void {
  // bin/pptpd-ts, which starts this program, becomes the server by exec.
  const serverPid = process.env['PPTPD_TS_SERVER_PID'];
  const { uid, mode } = statSync(dirname(path));
  if (serverPid === undefined || uid !== 0 || (mode & 0o022) !== 0) return;
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  try {
    const descriptor = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644);
    writeFileSync(descriptor, `${serverPid}\n`);
    closeSync(descriptor);
  } catch {
    // The manager meets it too.
  }
}

function prepare({ user = '', runDirectory, log, accounting, pidFile }: Configuration): readonly string[] {
  const account = findUnixUser(user);
  if (account === null) {
    throw new Error(
      `there is no user "${user}" (user); remedy: adduser --system --group --no-create-home --home /nonexistent ${user} && adduser ${user} dip`,
    );
  }
  const folders = [runDirectory, log.directory, accounting && dirname(accounting.file), pidFile && dirname(pidFile)];
  for (const folder of folders) if (folder !== undefined) make(folder, account);
  if (pidFile !== undefined) writePidFile(pidFile);
  return identityArguments(account);
}

const configuration = await withUser();
try {
  if (configuration !== null) process.stdout.write(`${prepare(configuration).join(' ')}\n`);
} catch (error) {
  process.stderr.write(`pptpd-ts: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
