/**
 * A session's account. It is kept up to date while the session lives, since at the end its call may be gone. A failure here
 * does not affect the session: the account stays in the run directory for the next interim record or for the manager.
 */
import { hostname } from 'node:os';
import { appendRecord } from '../accounting/append.js';
import { closeAccount, keepAccount } from '../accounting/open-account.js';
import { AccountingOutage } from '../accounting/accounting-outage.js';
import type { AccountRecord } from '../accounting/record.js';
import type { Configuration } from '../config/schema.js';
import type { Logger } from '../log/logger.js';
import type { PppState } from '../ppp/reader.js';
import type { SessionState } from '../session/state.js';
import { monotonicSeconds } from '../sys/clock.js';
import { messageOf } from '../sys/thrown.js';
import type { Timers } from './timers.js';

/** The longest time that a hanging file system delays a session's end. */
const CLOSE_SECONDS = 5;

const AMOUNTS = ['rxPackets', 'rxBytes', 'txPackets', 'txBytes'] as const;
type Amounts = Record<(typeof AMOUNTS)[number], number>;

export interface SessionAccountingOptions {
  readonly accounting: NonNullable<Configuration['accounting']>;
  readonly runDirectory: string;
  readonly state: () => SessionState;
  readonly ppp: () => PppState | null;
  readonly timers: Timers;
  readonly log: Logger;
}

export class SessionAccounting {
  readonly #options: SessionAccountingOptions;
  readonly #outage: AccountingOutage;
  readonly #startedAt = monotonicSeconds();
  readonly #host = hostname();
  /** Of the calls that were cleared; each call counts from 0. */
  #earlier: Amounts = { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0 };
  #user: string | null = null;
  #authenticated = false;
  #tunnel: SessionState['tunnel'] = { local: null, remote: null };
  #encryption: string | null = null;
  /** The write of an interim record. */
  #writing: Promise<void> = Promise.resolve();
  #isKept = true;
  #closing = false;

  constructor(options: SessionAccountingOptions) {
    this.#options = options;
    this.#outage = new AccountingOutage(options.runDirectory, options.log);
  }

  /** Opens the account; from now on an `ended` record must follow. */
  open(): void {
    this.update();
    this.#startTimer();
  }

  /** The session's state has changed. After `close` this has no effect: the kept account must stay an ended one. */
  update(): void {
    if (!this.#closing) this.#keep(this.#record('interim'));
  }

  /** Adds the counters of a call that is over and no part of the state any more. */
  callEnded(counters: Amounts | null): void {
    for (const name of AMOUNTS) this.#earlier[name] += counters?.[name] ?? 0;
  }

  /** Writes the `ended` record; resolves after CLOSE_SECONDS at the latest, also if that fails. */
  async close(): Promise<void> {
    const { timers, runDirectory, accounting } = this.#options;
    this.#closing = true;
    const record = this.#record('ended');
    const closed = this.#writing
      .then(async () => closeAccount(runDirectory, { file: accounting.file, startedAt: this.#startedAt, record }))
      .then(
        () => this.#outage.succeeded(),
        (error: unknown) => this.#outage.failed(error, this.#options.accounting.file),
      );
    const tooLong = new Promise<void>((resolve) => timers.start('accounting', CLOSE_SECONDS, resolve));
    await Promise.race([closed, tooLong]);
    timers.stop('accounting');
  }

  #startTimer(): void {
    if (this.#closing) return;
    const { timers, accounting } = this.#options;
    timers.start('accounting', accounting.interim, () => {
      this.#writing = this.#writeInterim().then(() => this.#startTimer());
    });
  }

  async #writeInterim(): Promise<void> {
    const record = this.#record('interim');
    this.#keep(record);
    try {
      await appendRecord(this.#options.accounting.file, record);
      this.#outage.succeeded();
    } catch (error) {
      this.#outage.failed(error, this.#options.accounting.file);
    }
  }

  /** Keeps the account in the run directory, so that the manager can close it if this process dies. Logs a failure once. */
  #keep(record: AccountRecord): void {
    const { runDirectory, accounting, log } = this.#options;
    try {
      keepAccount(runDirectory, { file: accounting.file, startedAt: this.#startedAt, record });
      this.#isKept = true;
    } catch (error) {
      if (this.#isKept) {
        const why = messageOf(error);
        log.warn(
          `accounting: ${why}. The session goes on and is accounted at its end, unless its worker is killed before that`,
        );
      }
      this.#isKept = false;
    }
  }

  #record(kind: AccountRecord['record']): AccountRecord {
    const state = this.#options.state();
    const { session, since, peer, localAddress, ending } = state;
    this.#look(state);
    return {
      record: kind,
      session,
      host: this.#host,
      user: this.#user,
      authenticated: this.#authenticated,
      client: peer.address,
      server: localAddress,
      tunnel: this.#tunnel,
      start: new Date(since).toISOString(),
      end: new Date().toISOString(),
      seconds: Math.round((monotonicSeconds() - this.#startedAt) * 1000) / 1000,
      ...this.#amounts(state),
      encryption: this.#encryption,
      reason: kind === 'ended' ? (ending?.reason ?? null) : null,
      detail: kind === 'ended' ? (ending?.detail ?? null) : null,
      cause: kind === 'ended' ? (ending?.cause ?? null) : null,
    };
  }

  #look({ user, tunnel }: SessionState): void {
    if (user !== null && user !== this.#user) [this.#user, this.#authenticated] = [user, false];
    const ppp = this.#options.ppp();
    // The addresses of a call that was up stay when it was cleared or another one has begun.
    if (this.#tunnel.remote === null || ppp?.times.up) this.#tunnel = tunnel;
    if (ppp?.authentication.result === 'succeeded') this.#authenticated = true;
    if (ppp?.encryption?.method === 'mppe') {
      const { bits, stateless, oneWay } = ppp.encryption;
      this.#encryption = `MPPE ${bits}${stateless ? ' stateless' : ''}${oneWay === null ? '' : ` ${oneWay} only`}`;
    } else if (ppp?.phase === 'up') {
      this.#encryption = 'none';
    }
  }

  #amounts({ counters }: SessionState): Amounts {
    const amounts = { ...this.#earlier };
    for (const name of AMOUNTS) amounts[name] += counters?.[name] ?? 0;
    return amounts;
  }
}
