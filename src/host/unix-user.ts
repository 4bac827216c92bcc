/**
 * The user that the server goes on as when root starts it (`user` of the configuration), and how: by setpriv, a program of
 * the system, between root's preparations and the first line that listens. What reads the network was never root.
 */
import { spawnSync } from 'node:child_process';

export interface UnixUser {
  readonly name: string;
  readonly uid: number;
  /** Of its own group; the others (dip, for pppd) come by name. */
  readonly gid: number;
}

/** Null when the machine knows no such user. */
export function findUnixUser(name: string): UnixUser | null {
  const [uid, gid] = ['-u', '-g'].map((which) => {
    const { status, stdout } = spawnSync('id', [which, name], { encoding: 'utf8' });
    return status === 0 ? Number(stdout) : null;
  });
  return uid == null || gid == null ? null : { name, uid, gid };
}

/**
 * The arguments of setpriv before a command that is to run as that user with CAP_NET_RAW alone, which its children keep
 * (ambient): the workers' GRE sockets need it. The bounding set stays: it is set-uid pppd's.
 */
export const identityArguments = ({ uid, gid }: UnixUser): string[] => [
  `--reuid=${uid}`,
  `--regid=${gid}`,
  '--init-groups',
  '--inh-caps=-all,+net_raw',
  '--ambient-caps=-all,+net_raw',
];
