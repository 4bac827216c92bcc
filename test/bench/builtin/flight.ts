/**
 * The packets of the load that are under way, by number. Nothing on the way may change their order or duplicate them,
 * so each packet that arrives tells which ones before it were lost. Silence tells nothing: a server that was not
 * scheduled for a while delivers them later.
 */
export class Flight {
  sent = 0;
  received = 0;
  /** Exact, up to the last packet that has arrived. */
  lost = 0;
  /** The number after the last one that has arrived. */
  #next = 0;
  /** Numbers below it are not waited for. */
  #awaited = 0;

  get next(): number {
    return this.#next;
  }

  /** Packets that are waited for. */
  get underWay(): number {
    return this.sent - Math.max(this.#next, this.#awaited);
  }

  /** `count` packets with the numbers from `number` on have arrived; false if they were never sent, or came before. */
  arrive(number: number, count = 1): boolean {
    if (!Number.isInteger(number) || !Number.isInteger(count) || count < 1) return false;
    if (number < this.#next || number + count > this.sent) return false;
    this.lost += number - this.#next;
    this.#next = number + count;
    this.received += count;
    return true;
  }

  /** No longer waits for what is under way, which may still arrive. */
  stopWaiting(): void {
    this.#awaited = this.sent;
  }
}
