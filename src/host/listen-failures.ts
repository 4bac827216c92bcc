/** Why an address cannot be listened on, in the administrator's words: the same for `serve`, which tries it, and `doctor`. */

interface ListenFailure {
  readonly problem: string;
  readonly remedy: string;
}

/** By the system's error code. */
export const LISTEN_FAILURES: Readonly<Record<string, ListenFailure>> & { readonly EADDRINUSE: ListenFailure } = {
  EADDRINUSE: { problem: 'another program listens there already', remedy: 'find and stop it: ss -ltnp' },
  EADDRNOTAVAIL: {
    problem: 'this machine has no such address',
    remedy: 'see `ip address`, and correct it in the configuration',
  },
  EACCES: { problem: 'a port below 1024 needs root or CAP_NET_BIND_SERVICE', remedy: 'run it as root' },
};

/** The sentence for a `where` such as `on 192.0.2.1:1723` that could not be had. */
export function listenFailure(where: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known = LISTEN_FAILURES[code ?? ''];
  return `cannot listen ${where}: ${known === undefined ? message : `${known.problem}; remedy: ${known.remedy}`}`;
}
