/**
 * Faults of ctrl workers, on order: loaded into every Node process of a server under test (by NODE_OPTIONS), this file
 * kills a worker at the point where an order lies in the folder. Killing by process id from outside would meet that point
 * only by luck.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VARIABLE = 'PPTPD_TS_TEST_FAULTS';

/** `atHandoff`: with the client's socket received, and nothing done yet. */
export type Fault = 'beforeReady' | 'atHandoff';

/** The orders of one server, and which of them were carried out. */
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

  order(fault: Fault): void {
    writeFileSync(this.#path(fault), '');
  }

  happened(fault: Fault): boolean {
    return existsSync(`${this.#path(fault)}.done`);
  }

  /** Carries the order out if there is one: one process of many takes it. */
  static obey(folder: string, fault: Fault): void {
    const path = join(folder, fault);
    if (!existsSync(path)) return;
    renameSync(path, `${path}.done`);
    process.kill(process.pid, 'SIGKILL');
  }

  #path(fault: Fault): string {
    return join(this.#folder, fault);
  }
}

const folder = process.env[VARIABLE];
if (folder !== undefined && process.argv[1]?.endsWith('ctrl/main.js') === true) {
  FaultFolder.obey(folder, 'beforeReady');
  process.on('message', () => FaultFolder.obey(folder, 'atHandoff'));
}
