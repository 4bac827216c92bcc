/** Starts a process of ours that reads the network: with a user of its own, without capabilities or a way to regain them. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface UnprivilegedProcess {
  /** The compiled file. */
  readonly entry: string;
  readonly args: readonly string[];
  readonly uid: number;
  readonly gid: number;
  /** Its descriptor 3: a new pipe, or a descriptor of ours. */
  readonly channel: 'pipe' | number;
}

export const startUnprivileged = ({ entry, args, uid, gid, channel }: UnprivilegedProcess): ChildProcess =>
  spawn(
    'setpriv',
    [
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      '--inh-caps=-all',
      '--ambient-caps=-all',
      '--bounding-set=-all',
      '--no-new-privs',
      process.execPath,
      ...process.execArgv,
      entry,
      ...args,
    ],
    { stdio: ['ignore', 'inherit', 'inherit', channel], cwd: '/', env: { PATH: process.env['PATH'] } },
  );
