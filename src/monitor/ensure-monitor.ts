/**
 * Root's part before the server starts: there is a monitor of this version, and it knows who the manager will be.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { identify, isAlive, type ProcessIdentity, signal } from '../host/process.js';
import { PROGRAM_PATH } from '../host/program-path.js';
import { version } from '../host/version.js';
import { runPaths } from '../session/paths.js';
import { MONITOR_ENTRY, MONITOR_EXIT } from './monitor-entry.js';
import { isMonitorListening, MonitorConnection } from './monitor-connection.js';
import type { MonitorRequest, MonitorSettings } from './protocol.js';
import { makeRootFolder } from './root-folder.js';

/** A monitor starts, and ends, within some tenths of a second, ms. */
const PATIENCE_MS = 20_000;
const POLL_MS = 20;
const STANDARD_ERROR = 2;

export interface MonitorWanted {
  readonly runDirectory: string;
  /** The log level; the monitor's log goes to this process's standard error. */
  readonly level: string;
  /** The process that is the manager, or will be by exec. */
  readonly manager: number;
  readonly settings: MonitorSettings;
}

/** Resolves when the monitor works. Throws a sentence for the administrator when it cannot. */
export async function ensureMonitor({ runDirectory, level, manager, settings }: MonitorWanted): Promise<void> {
  const identity = identify(manager);
  if (identity === null) throw new Error(`there is no process ${manager} to become the manager`);
  makeRootFolder(runPaths(runDirectory).monitor);
  const announcement = { type: 'announce', manager: identity, settings } as const;
  const runs = await announce(runDirectory, level, announcement);
  if (runs.version === version) return;
  // A monitor of another version: sessions go on meanwhile, and the new one knows them from the old one's folder.
  signal(runs.supervisor, 'SIGTERM');
  await ended(
    runs.supervisor,
    `the monitor of version ${runs.version} does not end. Kill process ${runs.supervisor.pid}.`,
  );
  await announce(runDirectory, level, announcement);
}

/** Starts a monitor whenever none listens: one that is about to end may still have accepted the connection. */
async function announce(
  runDirectory: string,
  level: string,
  announcement: MonitorRequest<'announce'>,
): Promise<{ readonly version: string; readonly supervisor: ProcessIdentity }> {
  const path = runPaths(runDirectory).monitorSocket;
  const connection = new MonitorConnection({ path, absence: PATIENCE_MS });
  let timer: NodeJS.Timeout | undefined;
  const neverWorks = new Promise<never>((_, reject) => {
    let isStarting = false;
    const look = (): void => {
      if (isStarting || isMonitorListening(path)) return;
      isStarting = true;
      start(runDirectory, level).on('exit', (code) => {
        isStarting = false;
        if (code === MONITOR_EXIT.cannotWork) reject(new Error('the monitor does not start; it has said why'));
      });
    };
    timer = setInterval(look, POLL_MS);
    look();
  });
  try {
    const { answer } = await Promise.race([connection.ask(announcement), neverWorks]);
    if (answer.type !== 'announced') throw new Error(`the monitor has answered "${answer.type}" to its announcement`);
    return answer;
  } finally {
    clearInterval(timer);
    connection.close();
  }
}

/** It outlives this process, and keeps nothing of its own but standard error. */
function start(runDirectory: string, level: string): ChildProcess {
  const child = spawn(process.execPath, [MONITOR_ENTRY, runDirectory, level], {
    detached: true,
    stdio: ['ignore', STANDARD_ERROR, STANDARD_ERROR],
    cwd: '/',
    env: { PATH: PROGRAM_PATH },
  });
  child.unref();
  return child;
}

async function ended(identity: ProcessIdentity, otherwise: string): Promise<void> {
  const limit = performance.now() + PATIENCE_MS;
  while (isAlive(identity)) {
    if (performance.now() > limit) throw new Error(otherwise);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
