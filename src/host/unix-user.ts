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
 * Arguments of setpriv for a command that runs as that user with CAP_NET_RAW only. Child processes inherit it
 * (ambient), since the workers' GRE sockets need it. The bounding set is kept for set-uid pppd.
 */
export const identityArguments = ({ uid, gid }: UnixUser): string[] => [
  `--reuid=${uid}`,
  `--regid=${gid}`,
  '--init-groups',
  '--inh-caps=-all,+net_raw',
  '--ambient-caps=-all,+net_raw',
];
