/**
 * Whether a session has left anything open in this process. Only a worker of which nothing is left may serve the next
 * client: nothing of one client reaches another.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { monotonicMs } from '../sys/clock.js';

/** How often and how long to look, in milliseconds: sockets close a turn or two after they were told to. */
const POLL_MS = 5;
const PATIENCE_MS = 1000;

const DESCRIPTORS = '/proc/self/fd';

interface Open {
  /** What each descriptor is, `pipe:[4711]` or a path; the kernel never gives the same number to another pipe or socket. */
  readonly descriptors: ReadonlySet<string>;
  /** What keeps Node's event loop alive, by kind: sockets, timers, child processes. */
  readonly resources: readonly string[];
}

function open(): Open {
  const descriptors = new Set<string>();
  for (const fd of readdirSync(DESCRIPTORS)) {
    try {
      descriptors.add(`${fd} ${readlinkSync(`${DESCRIPTORS}/${fd}`)}`);
    } catch {
      // The one that the folder was read by.
    }
  }
  return { descriptors, resources: process.getActiveResourcesInfo().toSorted() };
}

/** Nothing is open that was not open before. What has been closed since is not looked for. */
export const isClean = (now: Open, before: Open): boolean =>
  [...now.descriptors].every((each) => before.descriptors.has(each)) && hasNoMore(now.resources, before.resources);

/** `now` has no kind more often than `before`. */
function hasNoMore(now: readonly string[], before: readonly string[]): boolean {
  const left = [...before];
  return now.every((kind) => {
    const index = left.indexOf(kind);
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}

export class LeakCheck {
  /** What an idle worker has open. */
  readonly #idle = open();

  /** Resolves with true when nothing is left, or with false when something still is after a second. */
  async isClean(): Promise<boolean> {
    const deadline = monotonicMs() + PATIENCE_MS;
    while (!isClean(open(), this.#idle)) {
      if (monotonicMs() >= deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return true;
  }
}
