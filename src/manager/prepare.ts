/**
 * What only root can do before the server becomes another user: the one that the configuration names, or for the builtin PPP
 * engine one without a name. Creates the folders that it writes to, writes its process id where only root may write, starts
 * the monitor for the builtin engine, for `network` and for `console`, and prints the words of the command that bin/pptpd-ts then executes.
 * Does nothing for pppd without `user` and `network`. Does not change existing folders, which the user could have replaced,
 * except a run directory of root's for the user without a name. The manager reports errors in arguments and configuration.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, existsSync, fchownSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { USUAL_RUN_DIRECTORY } from '../config/run-directory.js';
import type { Configuration, ConfigurationInput } from '../config/schema.js';
import { makeFolder } from '../host/folder.js';
import { type Capability, missing, parseIdentity } from '../host/identity.js';
import { requireNativeModules } from '../host/native-modules.js';
import {
  chooseEngine,
  chooseSpeaker,
  ENGINE_VARIABLE,
  kernelPathObstacle,
  linkKindOf,
  type LinkKind,
  USUAL_PPPD,
} from '../host/ppp-engine.js';
import { type UnixUser, findUnixUser, identityArguments, UNNAMED_USER } from '../host/unix-user.js';
import type { MonitorConsoleSettings } from '../monitor/protocol.js';
import { runPaths } from '../session/paths.js';
import { messageOf } from '../sys/thrown.js';
import { configurationPath } from './arguments.js';
import { handOver } from './hand-over.js';

const FOLDER_MODE = 0o750;
const UMASK = 0o022;
/** To start the server as another user, which keeps the last one. */
const NEEDED: readonly Capability[] = ['SETGID', 'SETUID', 'NET_RAW'];
/** Environment variable with the process id of bin/pptpd-ts, which becomes the manager by exec. */
const SERVER_PID = 'PPTPD_TS_SERVER_PID';

interface Prepared {
  readonly configuration: Configuration;
  readonly kind: LinkKind;
}

/**
 * The configuration, if there is something to prepare: it names a user, the engine is the builtin one, or there is a section
 * `network` or `console` or a monitor that may have to remove the rules of an earlier one. Otherwise null; checking a whole configuration
 * would then take time for nothing.
 */
async function toPrepare(): Promise<Prepared | null> {
  try {
    const path = configurationPath();
    const input = JSON.parse(readFileSync(path, 'utf8')) as ConfigurationInput;
    const { engine } = chooseSpeaker({
      ppp: { engine: input.ppp?.engine ?? 'auto' },
      pppd: { path: input.pppd?.path ?? USUAL_PPPD },
    });
    const needsNoRoot =
      input.user === undefined && engine === 'pppd' && input.network === undefined && input.console === undefined;
    if (needsNoRoot && !hasMonitor(input.runDirectory ?? USUAL_RUN_DIRECTORY)) return null;
    const { loadConfiguration } = await import('../config/load.js');
    const loaded = loadConfiguration(path);
    if (!loaded.ok) return null;
    const { configuration } = loaded;
    return { configuration, kind: linkKindOf(chooseEngine(configuration)) };
  } catch {
    return null; // the manager reports it
  }
}

/** A monitor runs, or was killed. */
const hasMonitor = (runDirectory: string): boolean => existsSync(runPaths(runDirectory).monitorSocket);

/** In a folder of the user the manager creates its folders itself: root could be tricked by the user's links there. */
function belongsToUser(folder: string, uid: number): boolean {
  return existsSync(folder) ? statSync(folder).uid === uid : belongsToUser(dirname(folder), uid);
}

function make(folder: string, { uid, gid }: UnixUser): void {
  if (existsSync(folder) || belongsToUser(dirname(folder), uid)) return;
  makeFolder(dirname(folder), { recursive: true });
  makeFolder(folder, { mode: FOLDER_MODE });
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
  const serverPid = process.env[SERVER_PID];
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

function accountOf(user: string | undefined): UnixUser {
  if (user === undefined) return UNNAMED_USER;
  const account = findUnixUser(user);
  if (account === null) {
    throw new Error(
      `there is no user "${user}" (user); remedy: adduser --system --group --no-create-home --home /nonexistent ${user} && adduser ${user} dip`,
    );
  }
  return account;
}

/** Throws a sentence; setpriv would not say what to do. */
function requireCapabilities({ name }: UnixUser): void {
  const lacking = missing(parseIdentity(readFileSync('/proc/self/status', 'latin1')).capabilities, NEEDED);
  if (lacking.length === 0) return;
  const options = lacking.map((each) => `--cap-add ${each}`).join(' ');
  throw new Error(
    `root without CAP_${lacking.join(' and CAP_')} cannot start the server as user ${name}; remedy: add it to CapabilityBoundingSet= of its unit; start a container with ${options}`,
  );
}

/** Throws when the user cannot read this program, as in a clone in the home directory of somebody else. */
function requireReadable(account: UnixUser): void {
  const program = fileURLToPath(new URL('../bundle/manager.js', import.meta.url));
  const { status } = spawnSync('setpriv', [...identityArguments(account), 'test', '-r', program]);
  if (status !== 1) return;
  const who = account === UNNAMED_USER ? `uid ${account.uid}, which the server becomes,` : account.name;
  throw new Error(
    `${who} cannot read ${program}; remedy: move the program to a folder that everybody can read, such as /opt/pptpd-ts`,
  );
}

/** The group that may write login records, utmp on Debian; null when only root may. */
async function groupOfLoginRecords(): Promise<number | null> {
  const { DEFAULT_UTMP } = await import('../sys/login-records.js');
  const { gid = 0, mode = 0 } = statSync(DEFAULT_UTMP, { throwIfNoEntry: false }) ?? {};
  return gid !== 0 && (mode & 0o020) !== 0 ? gid : null;
}

/** Only root sees whether the kernel loads a module. Later every call would fail. */
function refuseMissingModules({ configuration, kind }: Prepared): void {
  const obstacle = kind === 'kernel' ? kernelPathObstacle(configuration) : null;
  if (obstacle === null) return;
  const { because, remedy } = obstacle;
  throw new Error(`ppp.dataPath is "kernel", but ${because}; remedy: ${remedy}; or set ppp.dataPath to "tun"`);
}

/** Returns the words of the command that starts the server as its user; none if it stays root. */
async function prepare(prepared: Prepared): Promise<readonly string[]> {
  refuseMissingModules(prepared);
  const { configuration, kind } = prepared;
  const { user, runDirectory, network } = configuration;
  const staysRoot = user === undefined && kind === 'pppd';
  if (staysRoot) makeFolder(dirname(runDirectory), { recursive: true });
  const command = staysRoot ? [] : await prepareUser(prepared);
  const needsMonitor = kind !== 'pppd' || network !== undefined || configuration.console !== undefined;
  if (needsMonitor || hasMonitor(runDirectory)) await startMonitor(prepared);
  return command;
}

async function prepareUser({ configuration, kind }: Prepared): Promise<readonly string[]> {
  const { user, runDirectory, log, accounting, pidFile } = configuration;
  const account = accountOf(user);
  requireCapabilities(account);
  requireReadable(account);
  const folders = [runDirectory, log.directory, accounting && dirname(accounting.file), pidFile && dirname(pidFile)];
  if (account === UNNAMED_USER && existsSync(runDirectory)) handOver(runDirectory, account);
  for (const folder of folders) if (folder !== undefined) make(folder, account);
  if (pidFile !== undefined) writePidFile(pidFile);
  const group = configuration.pppd.logwtmp ? await groupOfLoginRecords() : null;
  return ['setpriv', ...identityArguments(account, group), 'env', `${ENGINE_VARIABLE}=${kind}`];
}

/** null without a section `console`. Throws a sentence where the server stays root: then the console would have its group. */
async function consoleOf({ configuration, kind }: Prepared): Promise<MonitorConsoleSettings | undefined> {
  const { console: section, user, accounting } = configuration;
  if (section === undefined) return undefined;
  if (user === undefined && kind === 'pppd')
    throw new Error(
      'the section "console" needs a server that is not root, but with pppd and without "user" it is; remedy: set user, for example to "pptpd-ts"',
    );
  const { uid, gid } = accountOf(user);
  if (uid === 0 || gid === 0)
    throw new Error(
      `user is ${user}, and the console would have root's group; remedy: set user to one without privileges`,
    );
  const { userPlaceOf } = await import('../admin/user-place.js');
  const { tls = null, users, plainHttp: _, ...listen } = section;
  return {
    listen,
    tls,
    users,
    gid,
    configuration: resolve(configurationPath()),
    accounting: accounting?.file ?? null,
    userPlace: userPlaceOf(configuration),
  };
}

async function startMonitor(prepared: Prepared): Promise<void> {
  const { configuration, kind } = prepared;
  const { runDirectory, log, ppp, pppd, accounts, listen, network, radius } = configuration;
  const isBuiltin = kind !== 'pppd';
  requireNativeModules(['koffi', 'raw-socket'], (problem, remedy) => {
    throw new Error(`${problem}; remedy: ${remedy}`);
  });
  const { ensureMonitor } = await import('../monitor/ensure-monitor.js');
  const { pppSettings } = await import('../config/ppp-settings.js');
  if (network !== undefined) await checkNetwork(network, runDirectory);
  const { secrets, name, stripDomain, authentication, proxyArp } = pppSettings(ppp);
  await ensureMonitor({
    runDirectory,
    level: log.level,
    manager: Number(process.env[SERVER_PID] ?? process.ppid),
    settings: {
      secrets,
      accounts: accounts.file,
      name,
      stripDomain,
      // pppd checks its logins itself.
      authentication: isBuiltin ? authentication : [],
      proxyArp,
      vrf: listen.vrf ?? null,
      logwtmp: pppd.logwtmp,
      ...(network === undefined ? {} : { network }),
      radius: isBuiltin ? radius : undefined,
      console: await consoleOf(prepared),
    },
  });
}

/** Throws a sentence when the section cannot be put into force here. */
async function checkNetwork(network: NonNullable<Configuration['network']>, runDirectory: string): Promise<void> {
  const { findNetworkProblem } = await import('../network/network-check.js');
  const { tableName } = await import('../network/ruleset.js');
  const found = await findNetworkProblem(network, tableName(runDirectory));
  if (found !== null) throw new Error(`${found.problem}; remedy: ${found.remedy}`);
}

// The server's user has to enter the folders above its own, whatever umask a service manager sets.
process.umask(UMASK);
const prepared = await toPrepare();
try {
  if (prepared !== null) process.stdout.write(`${(await prepare(prepared)).join(' ')}\n`);
} catch (error) {
  process.stderr.write(`pptpd-ts: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
