/**
 * What a guest takes of this machine's processors, seen from outside: unlike a rate it hardly depends on what else runs on
 * the machine. The guest is a user-mode Linux: one process group below scripts/lab.
 */
import { readdirSync, readFileSync } from 'node:fs';

const INTERVAL_MS = 100;
/** _SC_CLK_TCK of every Linux. */
const TICKS_PER_SECOND = 100;
const GUEST = 'linux.uml';

export interface Sample {
  /** Seconds since the epoch, which is also the guest's clock. */
  readonly at: number;
  /** Seconds of processor time so far. */
  readonly used: number;
}

/** Seconds of processor time between two moments; null if the samples do not reach from one to the other. */
export function usedBetween(samples: readonly Sample[], from: number, to: number): number | null {
  const [first, last] = [usedAt(samples, from), usedAt(samples, to)];
  return first === null || last === null ? null : last - first;
}

function usedAt(samples: readonly Sample[], at: number): number | null {
  const index = samples.findIndex((sample) => sample.at >= at);
  const [before, after] = [samples[index - 1], samples[index]];
  if (after === undefined) return null;
  if (before === undefined) return after.at === at ? after.used : null;
  return before.used + ((after.used - before.used) * (at - before.at)) / (after.at - before.at);
}

interface Process {
  readonly pid: number;
  readonly name: string;
  readonly parent: number;
  readonly group: number;
  /** With that of children that it has waited for. */
  readonly ticks: number;
}

/** proc(5), stat; null: the process has ended. */
function readProcess(pid: string): Process | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const nameEnd = stat.lastIndexOf(')');
    const fields = stat.slice(nameEnd + 2).split(' ');
    const [, parent, group] = fields.slice(0, 3).map(Number);
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return {
      pid: Number(pid),
      name: stat.slice(stat.indexOf('(') + 1, nameEnd),
      parent: parent ?? 0,
      group: group ?? 0,
      ticks,
    };
  } catch {
    return null;
  }
}

/** Ticks of the guest that `ancestor` has started, so far; null before there is one. */
function guestTicks(ancestor: number): number | null {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(name) ?? []);
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === ancestor || isBelow(parent));
  };
  const leader = all.find(({ pid, name, group }) => name === GUEST && group === pid && isBelow(pid));
  if (leader === undefined) return null;
  return all.filter(({ group }) => group === leader.pid).reduce((sum, { ticks }) => sum + ticks, 0);
}

export class GuestProcessor {
  readonly samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;

  /** Watches the guest that a descendant of process `ancestor` becomes, until `close`. */
  constructor(ancestor: number) {
    this.#timer = setInterval(() => {
      const ticks = guestTicks(ancestor);
      if (ticks !== null) this.samples.push({ at: Date.now() / 1000, used: ticks / TICKS_PER_SECOND });
    }, INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
