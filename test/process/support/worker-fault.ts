/**
 * Injects faults into ctrl workers. The file is loaded into every Node process of a server under test (NODE_OPTIONS).
 * When a worker reaches a point for which the folder contains an order, the file sends the worker a signal, or a
 * message in its name. From outside, that point could be hit only by chance.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VARIABLE = 'PPTPD_TS_TEST_FAULTS';

const LEAK_OCTETS = 4 << 20;
/** Far more than any other process of the server uses, so that the kernel kills this one when memory runs out. */
export const MUCH_OCTETS = 256 << 20;

interface Disorder {
  readonly at: 'start' | 'ready' | 'handoff' | 'adopted';
  /** The signal that the worker receives, or the message sent in its name. */
  readonly signal?: NodeJS.Signals;
  readonly says?: object;
  /** After the next SIGUSR2 it allocates memory without end. */
  readonly leaks?: true;
  /** On the next SIGUSR2 it throws an error. */
  readonly fails?: true;
  /** It allocates `MUCH_OCTETS` and continues. */
  readonly needsMuch?: true;
  /** Its report is not delivered. */
  readonly swallows?: true;
  /** Applies to every worker until the order is cancelled, not only to the first. */
  readonly every?: true;
}

/** At the handoff the worker has the client's socket and has not used it yet. */
const FAULTS = {
  killedBeforeReady: { at: 'start', signal: 'SIGKILL' },
  stoppedBeforeReady: { at: 'start', signal: 'SIGSTOP' },
  killedAtHandoff: { at: 'handoff', signal: 'SIGKILL' },
  everyOneKilledAtHandoff: { at: 'handoff', signal: 'SIGKILL', every: true },
  stoppedAtHandoff: { at: 'handoff', signal: 'SIGSTOP' },
  /** It receives a client and does not react. */
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

  /** Environment variables for the server. */
  get environment(): NodeJS.ProcessEnv {
    return { [VARIABLE]: this.#folder, NODE_OPTIONS: `--import=${fileURLToPath(import.meta.url)}` };
  }

  /** Orders a fault for the next worker that reaches its point. */
  order(fault: Fault): void {
    writeFileSync(join(this.#folder, fault), '');
  }

  /** Cancels an order that applies to every worker. */
  cancel(fault: Fault): void {
    rmSync(join(this.#folder, fault), { force: true });
  }

  /** The process in which the fault occurred, once it has. */
  victim(fault: Fault): number | undefined {
    const name = readdirSync(this.#folder).find((each) => each.startsWith(`${fault}.`));
    return name === undefined ? undefined : Number(name.slice(fault.length + 1));
  }
}

const taken: Buffer[] = [];

/** Allocates memory and touches it, up to `octets` or until the kernel kills the process. */
function take(octets: number): void {
  for (let count = 0; count < octets; count += LEAK_OCTETS) taken.push(Buffer.alloc(LEAK_OCTETS, 1));
}

function fail(): never {
  throw new Error('an error that a test ordered');
}

/** Executes the orders for this point. */
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
  // Checked on each call, since an order may be given after a spare worker has started.
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
