/**
 * Checks whether a session has left anything open in this process. If it has, the worker does not serve another client, so
 * that nothing of one client can reach the next.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { monotonicMs } from '../sys/clock.js';

/** How often and how long to check, ms: a socket closes a turn or two of the event loop after `close`. */
const POLL_MS = 5;
const PATIENCE_MS = 1000;

const DESCRIPTORS = '/proc/self/fd';

interface Open {
  /** Number and target of each descriptor, `5 pipe:[4711]`; the kernel never reuses the number of a pipe or socket. */
  readonly descriptors: ReadonlySet<string>;
  /** The kinds of objects that keep Node's event loop alive: sockets, timers, child processes. */
  readonly resources: readonly string[];
}

function open(): Open {
  const descriptors = new Set<string>();
  for (const fd of readdirSync(DESCRIPTORS)) {
    try {
      descriptors.add(`${fd} ${readlinkSync(`${DESCRIPTORS}/${fd}`)}`);
    } catch {
      // The descriptor by which readdir read the folder.
    }
  }
  return { descriptors, resources: process.getActiveResourcesInfo().toSorted() };
}

/** Whether nothing is open that was not open before. What was closed since does not matter. */
export const isClean = (now: Open, before: Open): boolean =>
  [...now.descriptors].every((each) => before.descriptors.has(each)) && hasNoMore(now.resources, before.resources);

/** Whether `now` has no kind more often than `before`. */
function hasNoMore(now: readonly string[], before: readonly string[]): boolean {
  const left = [...before];
  return now.every((kind) => {
    const index = left.indexOf(kind);
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}

export class LeakCheck {
  /** Open in an idle worker. */
  readonly #idle = open();

  /** Resolves with true when nothing is left, with false if something still is after a second. */
  async isClean(): Promise<boolean> {
    const deadline = monotonicMs() + PATIENCE_MS;
    while (!isClean(open(), this.#idle)) {
      if (monotonicMs() >= deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return true;
  }
}
