/**
 * The monitor's two processes, of one entry. The supervisor holds the listening socket and starts the monitor again when
 * it dies, so that nobody who connects meanwhile is refused. The monitor does the work, and ends when nobody needs it.
 *
 * Arguments: run directory, log level; for the monitor, which gets the socket as descriptor 3, also `child`.
 * Exit codes: 0 ended, or nobody needs it; 1 it cannot work; 2 wrong usage; 3 another monitor listens already.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { identify } from '../host/process.js';
import { openLog } from '../log/logger.js';
import { NetworkRules } from '../network/network-rules.js';
import { tableName } from '../network/ruleset.js';
import { runPaths } from '../session/paths.js';
import { NetworkConfiguration } from '../sys/network-configuration.js';
import { listenSeqpacket } from '../sys/seqpacket-socket.js';
import { messageOf } from '../sys/thrown.js';
import { askSession } from './ask-session.js';
import { ConsoleProcess } from './console-process.js';
import { take } from './iproute.js';
import { isMonitorListening } from './monitor-connection.js';
import { MONITOR_ENTRY, MONITOR_EXIT } from './monitor-entry.js';
import { MonitorServer } from './monitor-server.js';
import { RadiusProcess } from './radius-process.js';
import { RadiusSpool } from './radius-spool.js';
import { makeRootFolder } from './root-folder.js';
import { StateFolder } from './state-folder.js';

const BACKLOG = 512;
const LISTENER = 3;
const CHILD = 'child';
/** For files of the scripts' own; the monitor gives its files their mode itself. */
const UMASK = 0o022;
/** Until a monitor that died is started again; doubled each time. */
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 30_000;
/** A monitor that ran longer did not die of what it was started with. */
const STABLE_MS = 60_000;

/** Runs the process that these arguments ask for. */
export function runMonitorProcess(args: readonly string[]): void {
  const [directory, level, role] = args;
  if (directory === undefined || level === undefined || (role !== undefined && role !== CHILD)) {
    process.stderr.write('pptpd-ts: the monitor needs a run directory and a log level\n');
    process.exitCode = MONITOR_EXIT.wrongCall;
  } else if (role === CHILD) monitor(directory, level);
  else supervise(directory, level);
}

/** Runs the supervisor until it is told to end, or nobody needs it. */
export function supervise(directory: string, level: string): void {
  process.title = `pptpd-ts monitor supervisor ${directory}`;
  const { log } = openLog('monitor', { level, file: 'monitor.log' });
  const { monitor: folder, monitorSocket: path } = runPaths(directory);
  const listener = listenAt(folder, path);
  let ending = false;
  let failures = 0;
  const end = (exitCode: number): void => {
    rmSync(path, { force: true });
    process.exit(exitCode);
  };
  const start = (): void => {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [...process.execArgv, MONITOR_ENTRY, directory, level, CHILD], {
      stdio: ['ignore', 'inherit', 'inherit', listener],
    });
    stop = () => child.kill('SIGTERM');
    child.on('error', (error) => log.error({ err: error }, `cannot start the monitor: ${error.message}`));
    child.on('close', (code, signal) => {
      if (ending || code === MONITOR_EXIT.ended) end(MONITOR_EXIT.ended);
      if (performance.now() - startedAt >= STABLE_MS) failures = 0;
      const delay = Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS);
      failures += 1;
      log.error({ code, signal, retrySeconds: delay / 1000 }, 'the monitor died; starting it again');
      stop = () => end(MONITOR_EXIT.ended);
      setTimeout(start, delay);
    });
  };
  let stop = (): void => end(MONITOR_EXIT.ended);
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.on(name, () => {
      ending = true;
      stop();
    });
  start();
}

/** Ends the process when it cannot listen. */
function listenAt(folder: string, path: string): number {
  process.umask(UMASK);
  try {
    makeRootFolder(folder);
    if (isMonitorListening(path)) fail(MONITOR_EXIT.runsAlready, `another monitor listens at ${path}`);
    rmSync(path, { force: true });
    // Everybody may connect: the monitor knows its workers by their process, whatever their user.
    process.umask(0);
    return listenSeqpacket(path, BACKLOG);
  } catch (error) {
    fail(MONITOR_EXIT.cannotWork, messageOf(error));
  } finally {
    process.umask(UMASK);
  }
}

function monitor(directory: string, level: string): void {
  process.title = `pptpd-ts monitor ${directory}`;
  process.umask(UMASK);
  const { log } = openLog('monitor', { level, file: 'monitor.log' });
  const supervisor = identify(process.ppid);
  if (process.geteuid?.() !== 0) fail(MONITOR_EXIT.cannotWork, 'the monitor must be root. Start the server as root.');
  if (supervisor === null) fail(MONITOR_EXIT.cannotWork, '/proc is not mounted: the monitor cannot identify processes');
  const onIdle = (): void => {
    log.info('neither manager nor session is left; ending');
    process.exit(MONITOR_EXIT.ended);
  };
  const radius = new RadiusProcess(log, level);
  const spool = new RadiusSpool({
    folder: new StateFolder(runPaths(directory).monitorAccounts),
    send: async (record) => radius.account(record),
    log,
  });
  const consoleProcess = new ConsoleProcess({
    log,
    level,
    runDirectory: directory,
    openRequests: async (settings) => (await import('./console-requests.js')).openConsoleRequests(settings),
  });
  const server = new MonitorServer({
    listener: LISTENER,
    folder: new StateFolder(runPaths(directory).monitorState),
    network: new NetworkConfiguration(),
    take,
    rules: new NetworkRules(tableName(directory), log),
    radius,
    console: consoleProcess,
    spool,
    askSession: async (session, worker, request) =>
      askSession({ runDirectory: directory, session, worker, request, log }),
    supervisor,
    log,
    onIdle,
  });
  process.on('SIGTERM', () => void server.leave().then(() => process.exit(MONITOR_EXIT.ended)));
}

function fail(exitCode: number, sentence: string): never {
  process.stderr.write(`pptpd-ts: ${sentence}\n`);
  process.exit(exitCode);
}
