/** Takes a part of a list that changes little, so that each of its entries has its turn, also while none of them leaves. */
export class Rotation<T> {
  readonly #most: number;
  #start = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** At most so many of them. */
  next(all: readonly T[]): T[] {
    if (all.length <= this.#most) return [...all];
    const start = this.#start % all.length;
    this.#start = start + this.#most;
    return [...all.slice(start), ...all.slice(0, start)].slice(0, this.#most);
  }
}
