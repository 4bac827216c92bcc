/** The session's entry in utmp and wtmp (`pppd.logwtmp`), for `who` and `last`: from link up to the end of the call. */
import type { Link } from '../link/link.js';
import type { Logger } from '../log/logger.js';
import { type LoginEntry, recordLogin, recordLogout } from '../sys/login-records.js';

export class LoginRecord {
  /** The client's address. */
  readonly #host: string;
  readonly #log: Logger;
  #login: LoginEntry | null = null;

  constructor(host: string, log: Logger) {
    this.#host = host;
    this.#log = log;
  }

  /** The link is up; idempotent. */
  up(link: Link): void {
    if (this.#login !== null) return;
    const line = link.interfaceName();
    if (line === null) {
      this.#log.warn(
        'no login record was written: the interface of the tunnel is not known (pppd wrote no /run/pppN.pid)',
      );
      return;
    }
    this.#login = { line, user: link.ppp.user ?? '', host: this.#host, pid: link.process?.pid ?? process.pid };
    recordLogin(this.#login, Date.now());
  }

  /** The call is over. */
  callEnded(): void {
    if (this.#login !== null) recordLogout(this.#login, Date.now());
    this.#login = null;
  }
}
