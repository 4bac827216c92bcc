/**
 * This machine as seen by the user that the server will run as, so that `doctor`, run by root, reports what that user may
 * do. Files that only pppd needs (secrets, /dev/ppp) are still read as root.
 */
import { spawnSync } from 'node:child_process';
import { type UnixUser, identityArguments } from '../host/unix-user.js';
import { type Machine, thisMachine } from './machine.js';

export function machineAs(user: UnixUser): Machine {
  const identity = identityArguments(user);
  const run = (...command: readonly string[]): { readonly ok: boolean; readonly output: string } => {
    const { status, stdout } = spawnSync('setpriv', [...identity, ...command], { encoding: 'utf8' });
    return { ok: status === 0, output: stdout };
  };
  return {
    ...thisMachine,
    read: (path) => (path === '/proc/self/status' ? run('cat', path).output : thisMachine.read(path)),
    isExecutable: (path) => run('test', '-x', path).ok,
    isWritable: (path) => run('test', '-w', path).ok,
    run: async (path, args) => thisMachine.run('setpriv', [...identity, path, ...args]),
  };
}
