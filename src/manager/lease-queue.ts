/**
 * Clients that came when everything was lent, and wait for the address of a session that is ending, or of one that has started
 * no call and is asked to make room: starts without a call, however many, keep nobody out for long. The client that came last is
 * served first: a flood waits behind those who come after it.
 */
import type { Lease } from '../session/lease.js';
import type { Client } from './admission.js';

/** Clients give up about then, and come again. */
const LONGEST_WAIT_MS = 10_000;
const TRY_MS = 250;

interface Place {
  readonly until: number;
  readonly inVain: () => void;
  /** A session was asked to go for this client. */
  asked: boolean;
}

export class LeaseQueue {
  readonly #makeRoom: () => boolean;
  readonly #isHopeless: () => boolean;
  /** Oldest first. */
  readonly #places = new Map<Client, Place>();
  #timer: NodeJS.Timeout | undefined;

  /** `makeRoom` asks a session to go, and tells whether there was one; `isHopeless`: no session will go soon. */
  constructor(makeRoom: () => boolean, isHopeless: () => boolean) {
    this.#makeRoom = makeRoom;
    this.#isHopeless = isHopeless;
  }

  /** At most `most` clients wait: the oldest goes then. `inVain` is called when there is no place for this one. */
  enter(client: Client, most: number, inVain: () => void): void {
    if (this.#isHopeless()) {
      inVain();
      return;
    }
    const [oldest] = this.#places;
    if (oldest !== undefined && this.#places.size >= most) this.#dismiss(...oldest);
    this.#places.set(client, { until: performance.now() + LONGEST_WAIT_MS, inVain, asked: this.#makeRoom() });
    this.#timer ??= setInterval(() => this.#tryAgain(), TRY_MS);
  }

  /** Takes leases as long as there are some and clients wait for them. */
  lend(take: () => Lease | null, use: (client: Client, lease: Lease) => void): void {
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

  /** Closes all who wait; idempotent. */
  close(): void {
    for (const client of this.#places.keys()) {
      client.socket.destroy();
      this.#leave(client);
    }
  }

  #tryAgain(): void {
    const now = performance.now();
    for (const [client, place] of [...this.#places].toReversed()) {
      if (!client.hasLeft) place.asked ||= this.#makeRoom();
      const isOver = client.hasLeft || place.until <= now || (!place.asked && this.#isHopeless());
      if (isOver) this.#dismiss(client, place);
    }
  }

  #dismiss(client: Client, { inVain }: Place): void {
    this.#leave(client);
    inVain();
  }

  #leave(client: Client): void {
    this.#places.delete(client);
    if (this.#places.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
