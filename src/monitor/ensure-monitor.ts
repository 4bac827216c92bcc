/**
 * Root's part before the server starts: there is a monitor of this version, and it knows who the manager will be.
 */
import { spawn } from 'node:child_process';
import { identify, isAlive, type ProcessIdentity, signal } from '../host/process.js';
import { version } from '../host/version.js';
import { runPaths } from '../session/paths.js';
import { MONITOR_ENTRY } from './monitor-entry.js';
import { isMonitorListening, MonitorConnection } from './monitor-connection.js';
import type { MonitorSettings } from './protocol.js';

/** A monitor that is started, or ended, takes some tenths of a second; ms. */
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
  const path = runPaths(runDirectory).monitorSocket;
  const identity = identify(manager);
  if (identity === null) throw new Error(`there is no process ${manager} to become the manager`);
  const announcement = { type: 'announce', manager: identity, settings } as const;
  if (!isMonitorListening(path)) start(runDirectory, level);
  const runs = await announce(path, announcement);
  if (runs.version === version) return;
  // One of another version: sessions go on meanwhile, and the new one knows them from the old one's folder.
  signal(runs.supervisor, 'SIGTERM');
  await until(() => !isAlive(runs.supervisor), `the monitor of version ${runs.version} does not end`);
  start(runDirectory, level);
  await announce(path, announcement);
}

async function announce(
  path: string,
  announcement: { readonly type: 'announce'; readonly manager: ProcessIdentity; readonly settings: MonitorSettings },
): Promise<{ readonly version: string; readonly supervisor: ProcessIdentity }> {
  await until(() => isMonitorListening(path), `the monitor does not start; its log says why`);
  const connection = new MonitorConnection(path);
  try {
    const { answer } = await connection.ask(announcement);
    if (answer.type !== 'announced') throw new Error(`the monitor at ${path} has answered "${answer.type}"`);
    return answer;
  } finally {
    connection.close();
  }
}

/** It outlives this process, and keeps nothing of its own but standard error. */
function start(runDirectory: string, level: string): void {
  const { PATH = '/usr/sbin:/usr/bin:/sbin:/bin' } = process.env;
  spawn(process.execPath, [MONITOR_ENTRY, runDirectory, level], {
    detached: true,
    stdio: ['ignore', STANDARD_ERROR, STANDARD_ERROR],
    cwd: '/',
    env: { PATH },
  }).unref();
}

async function until(look: () => boolean, otherwise: string): Promise<void> {
  const limit = performance.now() + PATIENCE_MS;
  while (!look()) {
    if (performance.now() > limit) throw new Error(otherwise);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
