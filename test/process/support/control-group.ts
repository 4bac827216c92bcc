/**
 * A control group for a server under test, version 1 or 2, whichever the machine has: so much memory, or so many
 * processes, and no more. It is the kernel's own way of running out, and touches nobody else.
 */
import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from './wait.js';

type Resource = 'memory' | 'pids';

/** Where a group is made, and what holds its limit and its use; `swap`, where there is one, holds a limit to swapping. */
interface Files {
  readonly parent: string;
  readonly limit: string;
  readonly use: string;
  readonly swap?: readonly [file: string, value: string];
}

const PLACES: Readonly<Record<Resource, readonly Files[]>> = {
  memory: [
    {
      parent: '/sys/fs/cgroup/memory',
      limit: 'memory.limit_in_bytes',
      use: 'memory.usage_in_bytes',
      swap: ['memory.swappiness', '0'],
    },
    { parent: '/sys/fs/cgroup', limit: 'memory.max', use: 'memory.current', swap: ['memory.swap.max', '0'] },
  ],
  pids: [
    { parent: '/sys/fs/cgroup/pids', limit: 'pids.max', use: 'pids.current' },
    { parent: '/sys/fs/cgroup', limit: 'pids.max', use: 'pids.current' },
  ],
};

export class ControlGroup {
  readonly #path: string;
  readonly #files: Files;

  private constructor(path: string, files: Files) {
    this.#path = path;
    this.#files = files;
  }

  /** One for the caller to remove; null, and the test skipped, where none can be made. */
  static make(t: TestContext, resource: Resource): ControlGroup | null {
    for (const files of PLACES[resource]) {
      const group = tryToMake(files);
      if (group === null) continue;
      return new ControlGroup(group, files);
    }
    t.skip(`no control group for ${resource} can be made here`);
    return null;
  }

  /** What to start a program with, for it and its children to be in the group. */
  get prefix(): readonly string[] {
    return ['sh', '-c', `echo $$ > ${join(this.#path, 'cgroup.procs')} && exec "$@"`, 'sh'];
  }

  /** Octets, or processes and threads. */
  get use(): number {
    return Number(readFileSync(join(this.#path, this.#files.use), 'latin1'));
  }

  limit(most: number): void {
    writeFileSync(join(this.#path, this.#files.limit), String(most));
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
function tryToMake({ parent, limit, swap }: Files): string | null {
  let group: string;
  try {
    group = mkdtempSync(join(parent, 'pptpd-ts-test-'));
  } catch {
    return null; // no such controller, or not ours to use
  }
  try {
    readFileSync(join(group, limit));
    if (swap !== undefined) writeFileSync(join(group, swap[0]), swap[1]);
    return group;
  } catch {
    rmdirSync(group);
    return null; // the controller is not given to groups here
  }
}
