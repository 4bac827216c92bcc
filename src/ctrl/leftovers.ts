/**
 * Whether a session has left anything open in this process. Only a worker of which nothing is left may serve the next
 * client: nothing of one client reaches another.
 */
import { readdirSync } from 'node:fs';
import { monotonicMs } from '../sys/clock.js';

/** How often and how long to look, in milliseconds: sockets close a turn or two after they were told to. */
const POLL_MS = 5;
const PATIENCE_MS = 1000;

interface Open {
  readonly descriptors: number;
  /** What keeps Node's event loop alive, by kind: sockets, timers, child processes. */
  readonly resources: number;
}

const open = (): Open => ({
  descriptors: readdirSync('/proc/self/fd').length,
  resources: process.getActiveResourcesInfo().length,
});

const noMore = (now: Open, before: Open): boolean =>
  now.descriptors <= before.descriptors && now.resources <= before.resources;

export class Leftovers {
  /** What an idle worker has open. */
  #idle = open();

  /** Resolves when nothing is left, with true; or with false when something still is after a second. */
  async gone(): Promise<boolean> {
    const deadline = monotonicMs() + PATIENCE_MS;
    while (!noMore(open(), this.#idle)) {
      if (monotonicMs() >= deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return true;
  }
}
