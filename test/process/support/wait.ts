/** Waiting for a state instead of sleeping: whatever is awaited has a name, and a limit that only a failure meets. */

/** Beyond what a busy machine needs, and beyond the server's own patience: a test that meets it has failed. */
export const LIMIT_MS = 45_000;
const POLL_MS = 10;

/** Resolves with the first result of `look` that is not undefined or false; `what` names it in the failure. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const limit = performance.now() + LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > limit) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

interface Waiter<T> {
  readonly accepts: (item: T) => boolean;
  readonly resolve: (item: T) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Things that arrive one after the other, and are awaited by what they are. */
export class Arrivals<T> {
  readonly all: T[] = [];
  /** How many of them `next` has been through. */
  #taken = 0;
  #waiters: Waiter<T>[] = [];
  #end: Error | undefined;

  add(item: T): void {
    this.all.push(item);
    for (const waiter of this.#waiters) if (waiter.accepts(item)) this.#release(waiter, () => waiter.resolve(item));
  }

  /** No more will come: whoever waits fails with this. */
  end(why: string): void {
    this.#end = new Error(why);
    for (const waiter of this.#waiters) this.#release(waiter, () => waiter.reject(new Error(why)));
  }

  /** The first that `accepts` takes, of all that came and will come. */
  async find(what: string, accepts: (item: T) => boolean): Promise<T> {
    return this.#find(what, 0, accepts);
  }

  /** The first behind those that were taken before, these left out; what comes before it counts as taken too. */
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
        timer: setTimeout(() => this.#release(waiter, () => waiter.reject(new Error('waited in vain'))), LIMIT_MS),
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
