/** What load.c counts in slices of 0.1 s, for the load generator of the builtin engine: the same figures and rules. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { monotonicMs } from '../../../src/sys/clock.js';
import type { SlicesResult } from '../load.js';

const SLICE_NS = 100_000_000;
const MAX_SLICES = 4096;
/** What a slice may have of others' doing, ms; beyond that it is left out. */
const MAX_STOLEN = 20;
const MAX_FOREIGN = 30;
const TICK_MS = 10;
/** The work ends after so many times the wanted time, however few slices are good. */
const PATIENCE = 4;
/** /proc/PID/stat: ticks in user space, counted after the name. */
const USER_TICKS = 11;

interface Usage {
  readonly cpu: number;
  readonly delay: number;
  readonly runs: number;
}

interface Look extends Usage {
  readonly ns: number;
  readonly stolen: number;
  readonly user: number;
  readonly ownUser: number;
  readonly generator: number;
  readonly resident: number;
  readonly packets: number;
  readonly wrong: number;
  readonly lost: number;
  readonly sent: number;
}

export type Counted = Pick<Look, 'packets' | 'wrong' | 'lost' | 'sent'>;

/** The task files of one process. */
export class Watched {
  readonly pid: number;
  readonly #files: readonly number[];
  readonly #text = Buffer.alloc(96);

  constructor(pid: number) {
    this.pid = pid;
    this.#files = readdirSync(`/proc/${pid}/task`).map((task) => openSync(`/proc/${pid}/task/${task}/schedstat`, 'r'));
  }

  /** CPU time and time it waited for a processor, ns; times it ran. */
  usage(): Usage {
    let [cpu, delay, runs] = [0, 0, 0];
    for (const file of this.#files) {
      const fields = this.#text.toString('latin1', 0, readSync(file, this.#text, 0, this.#text.length, 0)).split(' ');
      cpu += Number(fields[0]);
      delay += Number(fields[1]);
      runs += Number(fields[2]);
    }
    return { cpu, delay, runs };
  }

  /** A figure of /proc/PID/`file`, KiB. */
  memory(file: 'status' | 'smaps_rollup', key: string): number {
    return Number(new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(readFileSync(`/proc/${this.pid}/${file}`, 'latin1'))?.[1]);
  }

  close(): void {
    for (const file of this.#files) closeSync(file);
  }
}

const userTicks = (pid: number | 'self'): number => {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[USER_TICKS]);
};

export interface SlicesOptions {
  readonly worker: Watched;
  /** Not counted at the beginning. */
  readonly warm: number;
  readonly seconds: number;
  readonly counted: () => Counted;
}

export class Slices {
  readonly #options: SlicesOptions;
  readonly #looks: Look[] = [];
  readonly #end: number;
  #next: number;
  #good = 0;

  constructor(options: SlicesOptions) {
    this.#options = options;
    this.#next = nowNs() + options.warm * 1e9;
    this.#end = this.#next + PATIENCE * options.seconds * 1e9;
  }

  /** Nothing is counted yet. */
  get isWarming(): boolean {
    return this.#looks.length === 0;
  }

  /** True while there is work to do: until there are good slices enough, or patience is at its end. */
  goOn(): boolean {
    const now = nowNs();
    if (now < this.#next) return true;
    this.#looks.push(this.#look(now));
    if (this.#looks.length > 1 && this.#slice(this.#looks.length - 1).good) this.#good += 1;
    this.#next = now + SLICE_NS;
    return this.#looks.length < MAX_SLICES && this.#good * SLICE_NS < this.#options.seconds * 1e9 && now < this.#end;
  }

  get result(): SlicesResult {
    return { idleMemory: 0, slices: this.#looks.slice(1).map((_, index) => this.#slice(index + 1)) };
  }

  #look(ns: number): Look {
    const { worker, counted } = this.#options;
    const [, , user, nice, , , , , , stolen] = readFileSync('/proc/stat', 'latin1').split(' ', 10);
    const { user: own, system } = process.cpuUsage();
    return {
      ns,
      stolen: Number(stolen),
      user: Number(user) + Number(nice),
      ownUser: userTicks('self') + userTicks(worker.pid),
      generator: (own + system) * 1000,
      resident: worker.memory('status', 'VmRSS'),
      ...worker.usage(),
      ...counted(),
    };
  }

  #slice(index: number): SlicesResult['slices'][number] {
    const [before, after] = [this.#looks[index - 1], this.#looks[index]];
    if (before === undefined || after === undefined) throw new RangeError(`no slice ${index}`);
    const since = (key: keyof Look): number => after[key] - before[key];
    const stolen = since('stolen') * TICK_MS;
    const foreign = Math.max(0, since('user') - since('ownUser')) * TICK_MS;
    return {
      ns: since('ns'),
      good: stolen < MAX_STOLEN && foreign < MAX_FOREIGN,
      stolen,
      foreign,
      packets: since('packets'),
      wrong: since('wrong'),
      lost: since('lost'),
      sent: since('sent'),
      cpu: since('cpu'),
      delay: since('delay'),
      runs: since('runs'),
      idleCpu: 0,
      idleRuns: 0,
      generator: since('generator'),
      resident: after.resident,
    };
  }
}

const nowNs = (): number => monotonicMs() * 1e6;
