/**
 * The session's entry in utmp, wtmp and wtmpdb (`pppd.logwtmp`), for `who` and `last`: from link up to the end of the call. A
 * worker that is not root cannot write to wtmpdb; for the builtin engine's the monitor does it.
 */
import type { Link } from '../link/link.js';
import type { Logger } from '../log/logger.js';
import { type LoginEntry, recordLogin, recordLogout } from '../sys/login-records.js';
import { WtmpdbEntry } from '../sys/wtmpdb.js';

export class LoginRecord {
  /** The client's address. */
  readonly #host: string;
  readonly #log: Logger;
  readonly #wtmpdb: WtmpdbEntry | null;
  #login: LoginEntry | null = null;

  constructor(host: string, log: Logger) {
    this.#host = host;
    this.#log = log;
    const isRoot = process.geteuid?.() === 0;
    this.#wtmpdb = isRoot ? new WtmpdbEntry({ onFailure: (message) => log.warn(`wtmpdb: ${message}`) }) : null;
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
    this.#wtmpdb?.begin(this.#login, Date.now());
  }

  /** The call is over. Resolves when everything is written. */
  async callEnded(): Promise<void> {
    const login = this.#login;
    this.#login = null;
    if (login === null) return;
    recordLogout(login, Date.now());
    this.#wtmpdb?.end(login.line, Date.now());
    await this.#wtmpdb?.written;
  }
}
