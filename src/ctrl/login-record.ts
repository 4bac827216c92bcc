/** The session's entry in utmp and wtmp (`pppd.logwtmp`), for `who` and `last`: from when its link is up until its call is over. */
import { type Login, recordLogin, recordLogout } from '../sys/login-records.js';
import { interfaceOfPppd } from '../host/ppp-interface.js';
import type { Logger } from '../log/logger.js';

export class LoginRecord {
  /** The client's own address. */
  readonly #host: string;
  readonly #log: Logger;
  #login: Login | null = null;

  constructor(host: string, log: Logger) {
    this.#host = host;
    this.#log = log;
  }

  /** The link of this pppd is up; said again, it changes nothing. */
  up(pppd: number, user: string): void {
    if (this.#login !== null) return;
    const line = interfaceOfPppd(pppd);
    if (line === null) {
      this.#log.warn({ pppd }, 'no login record: pppd has no /run/pppN.pid, so that its interface is not known');
      return;
    }
    this.#login = { line, user, host: this.#host, pid: pppd };
    recordLogin(this.#login, Date.now());
  }

  /** The call is over. */
  callEnded(): void {
    if (this.#login !== null) recordLogout(this.#login, Date.now());
    this.#login = null;
  }
}
