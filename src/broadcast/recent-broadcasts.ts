/**
 * Remembers recently relayed broadcasts, to recognize a copy that returns after another relay, or a bridge between two
 * tunnels, has removed the mark. A sender that repeats a packet is not mistaken for a copy: its packets have different
 * identifications or, without one, arrive on the same interface again.
 */

/** How long a broadcast is remembered, ms. A copy that is delayed longer has passed a queue that would end any loop. */
export const MEMORY_MS = 1000;
/** Maximum number of remembered broadcasts: the rate limit allows more in that time only with many tunnels. */
export const MEMORY_ENTRIES = 4096;

interface Entry {
  readonly from: number;
  readonly expires: number;
}

export class RecentBroadcasts {
  /** By fingerprint, in order of expiry, since a Map keeps insertion order. */
  readonly #entries = new Map<number, Entry>();

  /**
   * Returns true when the packet received on interface `from` is a copy of one relayed before; otherwise remembers it.
   * `now` in ms of a monotonic clock.
   */
  isCopy(fingerprint: number, identification: number, from: number, now: number): boolean {
    for (const [key, { expires }] of this.#entries) {
      if (expires > now && this.#entries.size < MEMORY_ENTRIES) break;
      this.#entries.delete(key);
    }
    const known = this.#entries.get(fingerprint);
    if (known !== undefined && (identification !== 0 || known.from !== from)) return true;
    this.#entries.delete(fingerprint);
    this.#entries.set(fingerprint, { from, expires: now + MEMORY_MS });
    return false;
  }
}
