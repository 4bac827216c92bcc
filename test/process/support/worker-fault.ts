/**
 * Faults of ctrl workers, on order: loaded into every Node process of a server under test (by NODE_OPTIONS), this file
 * sends a worker a signal at the point for which an order lies in the folder. From outside that point would be met only by
 * luck.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VARIABLE = 'PPTPD_TS_TEST_FAULTS';

/** Where, and by which signal; at the handoff the client's socket is there, and nothing done with it. */
const FAULTS = {
  killedBeforeReady: { at: 'start', signal: 'SIGKILL' },
  killedAtHandoff: { at: 'handoff', signal: 'SIGKILL' },
  stoppedAtHandoff: { at: 'handoff', signal: 'SIGSTOP' },
  /** It is given a client, and does not look. */
  stoppedOnceReady: { at: 'ready', signal: 'SIGSTOP' },
} as const;

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

  /** The process that carried the order out, once one has. */
  victim(fault: Fault): number | undefined {
    const name = readdirSync(this.#folder).find((each) => each.startsWith(`${fault}.`));
    return name === undefined ? undefined : Number(name.slice(fault.length + 1));
  }
}

/** Carries out what was ordered for this point. */
function obey(orders: string, point: (typeof FAULTS)[Fault]['at']): void {
  for (const [fault, { at, signal }] of Object.entries(FAULTS)) {
    const order = join(orders, fault);
    if (at !== point || !existsSync(order)) continue;
    renameSync(order, `${order}.${process.pid}`);
    process.kill(process.pid, signal);
  }
}

const folder = process.env[VARIABLE];
if (folder !== undefined && process.argv[1]?.endsWith('ctrl/main.cjs') === true) {
  obey(folder, 'start');
  if (existsSync(join(folder, 'stoppedOnceReady'))) {
    // What a worker says first is that it is ready.
    const send = process.send?.bind(process);
    process.send = (message: unknown) => {
      const sent = send?.(message) ?? false;
      obey(folder, 'ready');
      return sent;
    };
  }
  process.on('message', () => obey(folder, 'handoff'));
}
