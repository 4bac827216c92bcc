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
    remedy: 'see `ip address`, and correct listen.address',
  },
  EACCES: { problem: 'a port below 1024 needs root or CAP_NET_BIND_SERVICE', remedy: 'run it as root' },
};
