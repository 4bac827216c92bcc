/**
 * What only root can do before the server becomes `user` of the configuration: creates the folders that it writes to, writes
 * its process id where only root may write, and prints the arguments of setpriv for bin/pptpd-ts. Does nothing without `user`.
 * Does not change existing folders, which the user could have replaced. The manager reports errors in arguments and
 * configuration.
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

/** The configuration if it has `user`, else null; without `user` the time to check it is not needed. */
async function withUser(): Promise<Configuration | null> {
  try {
    const path = configurationPath();
    const input: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof input !== 'object' || input === null || !('user' in input)) return null;
    const { loadConfiguration } = await import('../config/load.js');
    const loaded = loadConfiguration(path);
    return loaded.ok ? loaded.configuration : null;
  } catch {
    return null; // the manager reports it
  }
}

/** In a folder of the user the manager creates its folders itself: root could be tricked by the user's links there. */
function belongsToUser(folder: string, uid: number): boolean {
  return existsSync(folder) ? statSync(folder).uid === uid : belongsToUser(dirname(folder), uid);
}

function make(folder: string, { uid, gid }: UnixUser): void {
  if (existsSync(folder) || belongsToUser(dirname(folder), uid)) return;
  mkdirSync(dirname(folder), { recursive: true });
  mkdirSync(folder, { mode: FOLDER_MODE });
  // By descriptor and without following links: exactly the folder that was created here.
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  fchownSync(descriptor, uid, gid);
  closeSync(descriptor);
}

/**
 * Writes `pidFile` in a folder of root, such as /run. The manager checks the result and logs a failure. The file stays root's:
 * whoever kills the process that it names must be able to trust it.
 */
function writePidFile(path: string): void {
  // bin/pptpd-ts starts this program and then becomes the server by exec.
  const serverPid = process.env['PPTPD_TS_SERVER_PID'];
  const { uid, mode } = statSync(dirname(path));
  if (serverPid === undefined || uid !== 0 || (mode & 0o022) !== 0) return;
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  try {
    const descriptor = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644);
    writeFileSync(descriptor, `${serverPid}\n`);
    closeSync(descriptor);
  } catch {
    // The manager logs it.
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
