/**
 * The user that the server switches to when root starts it (configuration key `user`). The program setpriv makes the
 * switch after root's preparations and before anything listens, so that no process that reads the network was ever
 * root.
 */
import { spawnSync } from 'node:child_process';

export interface UnixUser {
  readonly name: string;
  readonly uid: number;
  /** Its primary group; setpriv adds the others (dip, for pppd). */
  readonly gid: number;
}

/** null if there is no such user. */
export function findUnixUser(name: string): UnixUser | null {
  const [uid, gid] = ['-u', '-g'].map((which) => {
    const { status, stdout } = spawnSync('id', [which, name], { encoding: 'utf8' });
    return status === 0 ? Number(stdout) : null;
  });
  return uid == null || gid == null ? null : { name, uid, gid };
}

/**
 * The user of a server whose configuration names none and whose PPP engine is the builtin one, which needs no root beyond
 * the monitor. It has no name; the number is one of those that systemd gives to services for their lifetime.
 */
export const UNNAMED_USER: UnixUser = { name: '61723', uid: 61_723, gid: 61_723 };

/** The console's user, with the group of the server's user. It has no account either. */
export const CONSOLE_UID = 61_725;

/**
 * Arguments of setpriv for a command that runs as that user with CAP_NET_RAW only. Child processes inherit it
 * (ambient), since the workers' GRE sockets need it. The bounding set is kept for set-uid pppd. `group`: the only further
 * group of a user without a name; one with a name has those of the system's database.
 */
export const identityArguments = (user: UnixUser, group: number | null = null): string[] => [
  `--reuid=${user.uid}`,
  `--regid=${user.gid}`,
  user !== UNNAMED_USER ? '--init-groups' : group === null ? '--clear-groups' : `--groups=${group}`,
  '--inh-caps=-all,+net_raw',
  '--ambient-caps=-all,+net_raw',
];
