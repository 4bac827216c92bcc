/**
 * A control group (version 1 or 2, whichever the machine has) that limits the memory or the processes of a server under
 * test. It is the kernel's own form of exhaustion, and affects nothing else.
 */
import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from './wait.js';

type Resource = 'memory' | 'pids';

/** Where the group is created, and its files for limit and usage; `swap`, if present, limits swapping. */
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

  /** Creates a group that the caller must remove; skips the test and returns null if none can be created. */
  static make(t: TestContext, resource: Resource): ControlGroup | null {
    for (const files of PLACES[resource]) {
      const group = tryToMake(files);
      if (group === null) continue;
      return new ControlGroup(group, files);
    }
    t.skip(`cannot create a control group for ${resource} here`);
    return null;
  }

  /** The command prefix that starts a program, and so its children, in the group. */
  get prefix(): readonly string[] {
    return ['sh', '-c', `echo $$ > ${join(this.#path, 'cgroup.procs')} && exec "$@"`, 'sh'];
  }

  /** The current usage: octets, or number of processes and threads. */
  get use(): number {
    return Number(readFileSync(join(this.#path, this.#files.use), 'latin1'));
  }

  limit(most: number): void {
    writeFileSync(join(this.#path, this.#files.limit), String(most));
  }

  /** Waits until the group is empty: a process leaves it only some time after its parent was notified. */
  async remove(): Promise<void> {
    await until('the control group to be empty', () => {
      try {
        rmdirSync(this.#path);
        return true;
      } catch {
        return false; // it still has processes
      }
    });
  }
}

/** Creates the group and returns its path; null if no limit can be set here. */
function tryToMake({ parent, limit, swap }: Files): string | null {
  let group: string;
  try {
    group = mkdtempSync(join(parent, 'pptpd-ts-test-'));
  } catch {
    return null; // no such controller, or no permission
  }
  try {
    readFileSync(join(group, limit));
    if (swap !== undefined) writeFileSync(join(group, swap[0]), swap[1]);
    return group;
  } catch {
    rmdirSync(group);
    return null; // the controller is not enabled for groups here
  }
}
