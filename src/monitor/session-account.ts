/** The account that RADIUS gets of a session's call: a start when the tunnel first carries packets, interim records, a stop. */
import type { AccountRecord } from '../radius/protocol.js';
import { type Amounts, NO_AMOUNTS, recordOf, type SavedAccount } from './radius-account.js';

export interface SessionAccountOptions {
  /** Open since before the monitor died; null: none. */
  readonly saved: SavedAccount | null;
  /** Writes `value` down. */
  readonly save: () => void;
  /** Keeps the record until a RADIUS server has acknowledged it. */
  readonly add: (record: AccountRecord) => void;
  /** What has gone through the call's interface; null: it is gone. */
  readonly amounts: () => Amounts | null;
  /** Seconds since 1970. */
  readonly now: () => number;
}

export class SessionAccount {
  readonly #options: SessionAccountOptions;
  #value: SavedAccount | null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SessionAccountOptions) {
    this.#options = options;
    this.#value = options.saved;
    this.#startInterim();
  }

  /** null: none is open. */
  get value(): SavedAccount | null {
    return this.#value;
  }

  /** Opens the account; one that is open gets the client's present address in the tunnel. */
  open(account: Omit<SavedAccount, 'amounts'>): void {
    const { save, add } = this.#options;
    const isOpen = this.#value !== null;
    this.#value =
      this.#value === null ? { ...account, amounts: NO_AMOUNTS } : { ...this.#value, address: account.address };
    save();
    if (isOpen) return;
    add(recordOf(this.#value, 'start', account.since));
    this.#startInterim();
  }

  /** Idempotent. `cause`: RFC 2866 §5.10. */
  close(cause: number): void {
    clearInterval(this.#timer);
    const { add, now } = this.#options;
    this.#count();
    if (this.#value !== null) add(recordOf(this.#value, 'stop', now(), cause));
    this.#value = null;
  }

  #startInterim(): void {
    const { save, add, now } = this.#options;
    const interim = this.#value?.interim ?? 0;
    if (interim === 0) return;
    this.#timer = setInterval(() => {
      this.#count();
      save();
      if (this.#value !== null) add(recordOf(this.#value, 'interim', now()));
    }, interim * 1000);
  }

  /** Once the interface is gone, what was counted last stays. */
  #count(): void {
    if (this.#value === null) return;
    const amounts = this.#options.amounts();
    if (amounts !== null) this.#value = { ...this.#value, amounts };
  }
}
