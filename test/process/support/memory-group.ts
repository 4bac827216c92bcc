/**
 * A memory control group for a server under test, version 1 or 2, whichever the machine has: so much and no more. It is the
 * kernel's own way of running out, and touches nobody else.
 */
import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from './wait.js';

/** Where a group is made; the files that hold its limit, its use, and its limit to swapping. */
interface Place {
  readonly parent: string;
  readonly limit: string;
  readonly use: string;
  readonly swap: string;
}

const PLACES: readonly Place[] = [
  {
    parent: '/sys/fs/cgroup/memory',
    limit: 'memory.limit_in_bytes',
    use: 'memory.usage_in_bytes',
    swap: 'memory.swappiness',
  },
  { parent: '/sys/fs/cgroup', limit: 'memory.max', use: 'memory.current', swap: 'memory.swap.max' },
];

export class MemoryGroup {
  readonly #path: string;
  readonly #place: Place;

  private constructor(path: string, place: Place) {
    this.#path = path;
    this.#place = place;
  }

  /** One for the caller to remove; null, and the test skipped, where none can be made. */
  static make(t: TestContext): MemoryGroup | null {
    for (const place of PLACES) {
      const group = tryToMake(place);
      if (group === null) continue;
      return new MemoryGroup(group, place);
    }
    t.skip('no control group for memory can be made here');
    return null;
  }

  /** What to start a program with, for it and its children to be in the group. */
  get prefix(): readonly string[] {
    return ['sh', '-c', `echo $$ > ${join(this.#path, 'cgroup.procs')} && exec "$@"`, 'sh'];
  }

  /** Octets. */
  get use(): number {
    return Number(readFileSync(join(this.#path, this.#place.use), 'latin1'));
  }

  limit(octets: number): void {
    writeFileSync(join(this.#path, this.#place.limit), String(octets));
  }

  /** Waits for those that were in it: a process leaves its group some time after its parent has heard of its end. */
  async remove(): Promise<void> {
    await until('the control group to be empty', () => {
      try {
        rmdirSync(this.#path);
        return true;
      } catch {
        return false; // somebody is in it still
      }
    });
  }
}

/** The group's path, with a limit that can be set; null when this place has none. */
function tryToMake({ parent, limit, swap }: Place): string | null {
  let group: string;
  try {
    group = mkdtempSync(join(parent, 'pptpd-ts-test-'));
  } catch {
    return null; // no such controller, or not ours to use
  }
  try {
    readFileSync(join(group, limit));
    writeFileSync(join(group, swap), '0');
    return group;
  } catch {
    rmdirSync(group);
    return null; // the controller is not given to groups here
  }
}
