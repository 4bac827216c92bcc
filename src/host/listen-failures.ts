/** Why the server cannot listen on an address; `serve` and `doctor` use the same words. */

interface ListenFailure {
  readonly problem: string;
  readonly remedy: string;
}

/** By system error code. */
export const LISTEN_FAILURES: Readonly<Record<string, ListenFailure>> & { readonly EADDRINUSE: ListenFailure } = {
  EADDRINUSE: { problem: 'another program already listens there', remedy: 'find it with `ss -ltnp` and stop it' },
  EADDRNOTAVAIL: {
    problem: 'this machine has no such address',
    remedy: 'see `ip address`, and correct the address in the configuration',
  },
  EACCES: { problem: 'ports below 1024 need root or CAP_NET_BIND_SERVICE', remedy: 'run it as root' },
};

/** The error message for a `where` such as `on 192.0.2.1:1723`. */
export function listenFailure(where: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known = LISTEN_FAILURES[code ?? ''];
  return `cannot listen ${where}: ${known === undefined ? message : `${known.problem}; remedy: ${known.remedy}`}`;
}
