/**
 * Clients that connected when every lease was taken. They wait for a session that is ending, or for one without a call that is
 * asked to end for them: connections that start no call cannot lock other clients out. The newest client is served first, so
 * that a flood waits behind the clients that connect after it.
 */
import type { Lease } from '../session/lease.js';
import type { Client } from './admission.js';

/** Clients give up after about this time, and connect again. */
const LONGEST_WAIT_MS = 10_000;
const TRY_MS = 250;

interface Place {
  readonly until: number;
  readonly onFull: () => void;
  /** A session was asked to end for this client. */
  asked: boolean;
}

export class LeaseQueue {
  readonly #makeRoom: () => boolean;
  readonly #isHopeless: () => boolean;
  /** Oldest first. */
  readonly #places = new Map<Client, Place>();
  #timer: NodeJS.Timeout | undefined;

  /** `makeRoom` asks a session to end, and returns whether there was one; `isHopeless`: no session will end soon. */
  constructor(makeRoom: () => boolean, isHopeless: () => boolean) {
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
    this.#places.set(client, { until: performance.now() + LONGEST_WAIT_MS, onFull, asked: this.#makeRoom() });
    this.#timer ??= setInterval(() => this.#tryAgain(), TRY_MS);
  }

  /** Takes leases while there are some and clients wait for them. */
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
      if (!client.hasLeft) place.asked ||= this.#makeRoom();
      const isOver = client.hasLeft || place.until <= now || (!place.asked && this.#isHopeless());
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
