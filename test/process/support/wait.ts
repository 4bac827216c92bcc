/**
 * Waits for a state instead of sleeping. Everything awaited has a name, and a time limit that is reached only on
 * failure.
 */

/** Longer than a busy machine needs, and than the server's own timeouts; a test that reaches it has failed. */
export const LIMIT_MS = 45_000;
const POLL_MS = 10;

/** Resolves with the first result of `look` that is not undefined or false; `what` names it in the error. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const limit = performance.now() + LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > limit) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The result of `work`; rejects when it takes longer. The limit does not keep the process alive. */
export async function within<T>(what: string, work: Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out waiting for ${what}`)), limitMs).unref();
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

interface Waiter<T> {
  readonly accepts: (item: T) => boolean;
  readonly resolve: (item: T) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Values that arrive one after the other, and are awaited by predicate. */
export class Arrivals<T> {
  readonly all: T[] = [];
  /** How many of them `next` has already examined. */
  #taken = 0;
  #waiters: Waiter<T>[] = [];
  #end: Error | undefined;

  add(item: T): void {
    this.all.push(item);
    for (const waiter of this.#waiters) if (waiter.accepts(item)) this.#release(waiter, () => waiter.resolve(item));
  }

  /** No more will arrive: all waits fail with this. */
  end(why: string): void {
    this.#end = new Error(why);
    for (const waiter of this.#waiters) this.#release(waiter, () => waiter.reject(new Error(why)));
  }

  /** The first value that `accepts` matches, already arrived or still to come. */
  async find(what: string, accepts: (item: T) => boolean): Promise<T> {
    return this.#find(what, 0, accepts);
  }

  /** The first matching value after those already taken; the values skipped before it count as taken too. */
  async next(what: string, accepts: (item: T) => boolean = () => true): Promise<T> {
    const item = await this.#find(what, this.#taken, accepts);
    this.#taken = this.all.indexOf(item, this.#taken) + 1;
    return item;
  }

  async #find(what: string, from: number, accepts: (item: T) => boolean): Promise<T> {
    const found = this.all.slice(from).find(accepts);
    if (found !== undefined) return found;
    if (this.#end !== undefined) throw new Error(`no ${what}: ${this.#end.message}`);
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = {
        accepts,
        resolve,
        reject: (error) => reject(new Error(`no ${what}: ${error.message}`)),
        timer: setTimeout(() => this.#release(waiter, () => waiter.reject(new Error('timed out'))), LIMIT_MS),
      };
      this.#waiters.push(waiter);
    });
  }

  #release(waiter: Waiter<T>, how: () => void): void {
    clearTimeout(waiter.timer);
    this.#waiters = this.#waiters.filter((each) => each !== waiter);
    how();
  }
}
