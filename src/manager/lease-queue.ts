/**
 * Clients that connected when every lease was taken. Each waits for the lease of a session that is ending; if there are not
 * enough of these, a session without a call is asked to end: connections that start no call cannot lock other clients out.
 * The newest client is served first, so that a flood waits behind the clients that connect after it.
 */
import type { Lease } from '../session/lease.js';
import type { Client } from './admission.js';

/** Clients give up after about this time, and connect again. */
const MAX_WAIT_MS = 10_000;
/** How long to wait for a session that is ending: pppd usually exits within this time. */
const ENDING_MS = 2000;
const TRY_MS = 250;

interface Place {
  /** By performance.now. */
  readonly since: number;
  readonly onFull: () => void;
  /** A session was asked to end for this client. */
  asked: boolean;
}

export class LeaseQueue {
  readonly #makeRoom: (needed: number) => boolean;
  readonly #isHopeless: () => boolean;
  /** Oldest first. */
  readonly #places = new Map<Client, Place>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * `makeRoom` asks one session to end if fewer than `needed` are ending; returns whether it did.
   * `isHopeless`: no session will end soon.
   */
  constructor(makeRoom: (needed: number) => boolean, isHopeless: () => boolean) {
    this.#makeRoom = makeRoom;
    this.#isHopeless = isHopeless;
  }

  /** At most `most` clients wait; one more displaces the oldest. `onFull` is called if this client gets no lease. */
  enter(client: Client, most: number, onFull: () => void): void {
    if (this.#isHopeless()) {
      onFull();
      return;
    }
    const [oldest] = this.#places;
    if (oldest !== undefined && this.#places.size >= most) this.#dismiss(...oldest);
    this.#places.set(client, {
      since: performance.now(),
      onFull,
      asked: this.#makeRoom(this.#places.size + 1),
    });
    this.#timer ??= setInterval(() => this.#tryAgain(), TRY_MS);
  }

  /** Gives leases to waiting clients while there are both. */
  serve(take: () => Lease | null, use: (client: Client, lease: Lease) => void): void {
    for (const [client, place] of [...this.#places].toReversed()) {
      if (client.hasLeft) {
        this.#dismiss(client, place);
        continue;
      }
      const lease = take();
      if (lease === null) return;
      this.#leave(client);
      use(client, lease);
    }
  }

  /** Disconnects all clients that wait; idempotent. */
  close(): void {
    for (const client of this.#places.keys()) {
      client.socket.destroy();
      this.#leave(client);
    }
  }

  #tryAgain(): void {
    const now = performance.now();
    for (const [client, place] of [...this.#places].toReversed()) {
      const waited = now - place.since;
      if (!client.hasLeft) place.asked ||= this.#makeRoom(waited < ENDING_MS ? this.#places.size : Infinity);
      const isOver = client.hasLeft || waited >= MAX_WAIT_MS || (!place.asked && this.#isHopeless());
      if (isOver) this.#dismiss(client, place);
    }
  }

  #dismiss(client: Client, { onFull }: Place): void {
    this.#leave(client);
    onFull();
  }

  #leave(client: Client): void {
    this.#places.delete(client);
    if (this.#places.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
