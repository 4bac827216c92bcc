/**
 * Faults of ctrl workers, on order: loaded into every Node process of a server under test (by NODE_OPTIONS), this file
 * sends a worker a signal, or says something in its name, at the point for which an order lies in the folder. From outside that point would be met only by
 * luck.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VARIABLE = 'PPTPD_TS_TEST_FAULTS';

const LEAK_OCTETS = 4 << 20;
/** Far more than any other process of the server has, so that the kernel ends this one when there is not as much. */
export const MUCH_OCTETS = 256 << 20;

interface Disorder {
  readonly at: 'start' | 'ready' | 'handoff' | 'adopted';
  /** What happens to it; or what it says. */
  readonly signal?: NodeJS.Signals;
  readonly says?: object;
  /** From the next SIGUSR2 on it takes memory, without end. */
  readonly leaks?: true;
  /** At the next SIGUSR2 it meets an error of its own. */
  readonly fails?: true;
  /** It takes `MUCH_OCTETS`, and goes on with them. */
  readonly needsMuch?: true;
  /** Its report does not arrive. */
  readonly swallows?: true;
  /** Not only to the first that gets there, until the order is taken back. */
  readonly every?: true;
}

/** At the handoff the client's socket is there, and nothing done with it. */
const FAULTS = {
  killedBeforeReady: { at: 'start', signal: 'SIGKILL' },
  stoppedBeforeReady: { at: 'start', signal: 'SIGSTOP' },
  killedAtHandoff: { at: 'handoff', signal: 'SIGKILL' },
  everyOneKilledAtHandoff: { at: 'handoff', signal: 'SIGKILL', every: true },
  stoppedAtHandoff: { at: 'handoff', signal: 'SIGSTOP' },
  /** It is given a client, and does not look. */
  stoppedOnceReady: { at: 'ready', signal: 'SIGSTOP' },
  readyTwice: { at: 'ready', says: { type: 'ready', v: 1 } },
  readyWhileServing: { at: 'adopted', says: { type: 'ready', v: 1 } },
  readyAtHandoff: { at: 'handoff', says: { type: 'ready', v: 1 } },
  neverSaysAdopted: { at: 'adopted', swallows: true },
  liesAboutItsSession: { at: 'handoff', says: { type: 'adopted', v: 1, session: 'abc123' } },
  leaksWhenTold: { at: 'start', leaks: true },
  failsWhenTold: { at: 'start', fails: true },
  everyOneNeedsMuchToStart: { at: 'start', needsMuch: true, every: true },
  talksNonsense: { at: 'handoff', says: { type: 'adopted', v: 'one', session: ['x'] } },
} as const satisfies Record<string, Disorder>;

export type Fault = keyof typeof FAULTS;

/** The orders of one server. */
export class FaultFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder);
  }

  /** What the server's environment needs to have. */
  get environment(): NodeJS.ProcessEnv {
    return { [VARIABLE]: this.#folder, NODE_OPTIONS: `--import=${fileURLToPath(import.meta.url)}` };
  }

  /** For the next worker that gets there. */
  order(fault: Fault): void {
    writeFileSync(join(this.#folder, fault), '');
  }

  /** Takes an order back that is for every worker. */
  cancel(fault: Fault): void {
    rmSync(join(this.#folder, fault), { force: true });
  }

  /** The process that carried the order out, once one has. */
  victim(fault: Fault): number | undefined {
    const name = readdirSync(this.#folder).find((each) => each.startsWith(`${fault}.`));
    return name === undefined ? undefined : Number(name.slice(fault.length + 1));
  }
}

const taken: Buffer[] = [];

/** Takes memory and touches it: so much, or until the system ends the process. */
function take(octets: number): void {
  for (let count = 0; count < octets; count += LEAK_OCTETS) taken.push(Buffer.alloc(LEAK_OCTETS, 1));
}

function fail(): never {
  throw new Error('an error that a test has ordered');
}

/** Carries out what was ordered for this point. */
function obey(orders: string, point: Disorder['at'], send: (message: object) => void): void {
  for (const [fault, { at, signal, says, leaks, fails, needsMuch, every }] of Object.entries<Disorder>(FAULTS)) {
    const order = join(orders, fault);
    if (at !== point || !existsSync(order)) continue;
    const done = `${order}.${process.pid}`;
    if (every === true) writeFileSync(done, '');
    else renameSync(order, done);
    if (says !== undefined) send(says);
    if (leaks === true) process.once('SIGUSR2', () => take(Infinity));
    if (fails === true) process.once('SIGUSR2', fail);
    if (needsMuch === true) take(MUCH_OCTETS);
    if (signal !== undefined) process.kill(process.pid, signal);
  }
}

const folder = process.env[VARIABLE];
if (folder !== undefined && process.argv[1]?.endsWith('ctrl/main.cjs') === true) {
  const say = process.send?.bind(process) as ((...words: unknown[]) => boolean) | undefined;
  const send = (message: object): void => void say?.(message);
  obey(folder, 'start', send);
  // Whatever is ordered by now: an order may come when a spare worker has started.
  process.send = (message: { readonly type: 'ready' | 'adopted' }, ...rest: unknown[]) => {
    const isSwallowed = Object.entries<Disorder>(FAULTS).some(
      ([fault, { at, swallows }]) => swallows === true && at === message.type && existsSync(join(folder, fault)),
    );
    const sent = isSwallowed || (say?.(message, ...rest) ?? false);
    obey(folder, message.type, send);
    return sent;
  };
  process.on('message', () => obey(folder, 'handoff', send));
}
