/** A running `pptpd-ts` command and its output. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Server } from './server.js';
import { until, within } from './wait.js';

export class Running {
  readonly process: ChildProcess;
  output = '';
  words = '';
  readonly #exit: Promise<number | null>;

  constructor(server: Server, ...args: readonly string[]) {
    const command = ['-c', server.configurationFile];
    this.process = spawn(resolve('bin/pptpd-ts'), [...args, ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout?.setEncoding('latin1').on('data', (chunk: string) => (this.output += chunk));
    this.process.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.words += chunk));
    this.#exit = once(this.process, 'close').then(([code]) => code);
  }

  async says(text: RegExp): Promise<void> {
    await until(`the command to say ${text}`, () => text.test(this.words));
  }

  async prints(text: RegExp): Promise<void> {
    await until(`the command to print ${text}`, () => text.test(this.output));
  }

  async ended(): Promise<number | null> {
    return within('the command to end', this.#exit);
  }

  /** Ctrl-C. */
  async interrupted(): Promise<number | null> {
    this.process.kill('SIGINT');
    return this.ended();
  }
}
