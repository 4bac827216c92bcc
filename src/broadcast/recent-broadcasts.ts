/**
 * What was relayed a moment ago, so that a copy that comes back is known even when somebody on its way has taken the
 * mark away (another relay, a bridge between two tunnels). A sender that says the same twice is not a copy: its
 * packets have another identification, or, where they have none, come from the same side again.
 */

/** A copy that takes longer has gone through a queue that would end any loop. */
export const MEMORY_MS = 1000;
/** More would be beyond what the rate limit lets through in that time, but for a crowd of tunnels. */
export const MEMORY_ENTRIES = 4096;

interface Entry {
  readonly from: number;
  readonly expires: number;
}

export class RecentBroadcasts {
  /** By fingerprint; in the order of expiry, as a Map keeps the order of insertion. */
  readonly #entries = new Map<number, Entry>();

  /**
   * True when the packet that comes `from` this interface is a copy of one relayed before; remembers it when it is
   * not. `now` in milliseconds, never going back.
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
