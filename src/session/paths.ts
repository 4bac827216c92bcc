/**
 * Paths in the run directory. The directory is the registry of live sessions: a new manager learns everything about them
 * from here, so sessions continue without a manager.
 *
 *     RUNDIR/manager.pid           the manager's process id
 *     RUNDIR/manager.sock          the manager's own socket (status, reload, blocks)
 *     RUNDIR/blocks.json           client addresses that are blocked after failed logins
 *     RUNDIR/sessions/ID.sock      a worker's socket: requests to the session
 *     RUNDIR/sessions/ID.json      the session's record: what to clean up if its worker dies
 *     RUNDIR/accounts/ID.json      the session's account, until its end is in the accounting file
 *     RUNDIR/accounts.recovered    mark: the accounting file has the ends of the sessions from before the last boot
 *     RUNDIR/accounting.outage     mark: the accounting file cannot be written to, and this has been logged
 *     RUNDIR/log.outage            mark: the same for the log files
 *
 * The monitor is root, and believes nothing that the server's user could have changed. Its folder lies beside:
 *
 *     RUNDIR.monitor/socket        what workers without root ask root for
 *     RUNDIR.monitor/state/        what the monitor knows about sessions
 *     RUNDIR.monitor/accounts/     account records that no RADIUS server has acknowledged yet
 */
import { join, resolve } from 'node:path';

const ID = '[a-z0-9]{6}';
const WHOLE_ID = new RegExp(`^${ID}$`);

/** Whether a text can be a session's id. */
export const isSessionId = (text: string): boolean => WHOLE_ID.test(text);

const SESSIONS = 'sessions';
const ACCOUNTS = 'accounts';

export interface RunPaths {
  readonly directory: string;
  readonly managerPid: string;
  readonly managerSocket: string;
  readonly monitor: string;
  readonly monitorSocket: string;
  readonly monitorState: string;
  readonly monitorAccounts: string;
  readonly blocks: string;
  readonly sessions: string;
  readonly accounts: string;
  readonly accountsRecovered: string;
  readonly accountingOutage: string;
  readonly logOutage: string;
}

export function runPaths(runDirectory: string): RunPaths {
  const monitor = `${resolve(runDirectory)}.monitor`;
  return {
    directory: runDirectory,
    managerPid: join(runDirectory, 'manager.pid'),
    managerSocket: join(runDirectory, 'manager.sock'),
    monitor,
    monitorSocket: join(monitor, 'socket'),
    monitorState: join(monitor, 'state'),
    monitorAccounts: join(monitor, 'accounts'),
    blocks: join(runDirectory, 'blocks.json'),
    sessions: join(runDirectory, SESSIONS),
    accounts: join(runDirectory, ACCOUNTS),
    accountsRecovered: join(runDirectory, 'accounts.recovered'),
    accountingOutage: join(runDirectory, 'accounting.outage'),
    logOutage: join(runDirectory, 'log.outage'),
  };
}

/** The socket of session `id`. */
export const sessionSocketPath = (runDirectory: string, id: string): string =>
  join(runDirectory, SESSIONS, `${id}.sock`);

/** The record of session `id`. */
export const sessionRecordPath = (runDirectory: string, id: string): string =>
  join(runDirectory, SESSIONS, `${id}.json`);

/** The open account of session `id`. */
export const accountPath = (runDirectory: string, id: string): string => join(runDirectory, ACCOUNTS, `${id}.json`);

const LOG_NAME = new RegExp(`^session-(${ID})\\.log(?:\\.\\d+(?:\\.gz)?)?$`);

/** The log file of session `id` in `log.directory`. */
export const sessionLogName = (id: string): string => `session-${id}.log`;

/** The id of the session whose log file, possibly rotated, has this name; null for other names. */
export const sessionOfLog = (name: string): string | null => LOG_NAME.exec(name)?.[1] ?? null;
