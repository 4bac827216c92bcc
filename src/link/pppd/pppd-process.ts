/**
 * Starts pppd on a pty, and ends it with TERM and then KILL. node-pty owns the pty and the process; the port reads and
 * writes frames on the pty's descriptor itself.
 *
 * Forking a Node process takes longer than starting pppd. So a shell is started in advance, which reads pppd's command
 * line from the pty and executes pppd under the same process id.
 */
import { accessSync, constants, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type IPty, spawn } from 'node-pty';
import { identify, type ProcessIdentity } from '../../host/process.js';
import { close, duplicate } from '../../sys/descriptor.js';
import { makeRaw } from '../../sys/termios.js';
import { messageOf } from '../../sys/thrown.js';

export interface PppdExit {
  readonly code: number;
  /** 0: it exited by itself. */
  readonly signal: number;
}

/** The environment of pppd and its scripts. Nothing is inherited from the manager. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' };

const SHELL = '/bin/sh';
/** The shell's script, and its name in ps(1). */
const BECOME_PPPD = ['-c', 'n="\n"; IFS= read -r command && eval "exec $command"', 'pptpd-ts: becomes pppd'];

/** Quotes a word of the command line, which is a single line, so that the shell takes it literally. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`).replaceAll('\n', `'"$n"'`)}'`;

export class PppdProcess {
  /** The pty's master, for the relay; valid until pppd has exited or `hangUp` was called. */
  readonly fd: number;
  /** null if the process ended before it could be identified. */
  readonly identity: ProcessIdentity | null;
  readonly #pty: IPty;
  readonly #exit: Promise<PppdExit>;
  #killTimer: NodeJS.Timeout | undefined;
  #over = false;
  #ending = false;
  #hungUp = false;

  /** Starts a process on a new pty that becomes pppd on `start`. Throws an Error with a readable message on failure. */
  constructor() {
    try {
      this.#pty = spawn(SHELL, BECOME_PPPD, { cwd: '/', env: ENVIRONMENT, encoding: null });
    } catch (error) {
      throw new Error(`cannot start a process for pppd: ${messageOf(error)}`, { cause: error });
    }
    this.fd = takeMaster(this.#pty);
    // Without raw mode the pty would echo the command line.
    makeRaw(this.fd);
    this.identity = identify(this.#pty.pid);
    this.#exit = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal = 0 }) => {
        this.#over = true;
        clearTimeout(this.#killTimer);
        this.hangUp();
        resolve({ code: exitCode, signal });
      });
    });
  }

  /** The process has ended, also when it was killed before it was used. */
  get isOver(): boolean {
    return this.#over;
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Executes `path`. Call it once. Throws the system's error when the program is known not to be executable. */
  start(path: string, args: readonly string[]): void {
    accessSync(path, constants.X_OK);
    const commandLine = Buffer.from(`${[path, ...args].map((word) => quoted(word)).join(' ')}\n`);
    if (writeSync(this.fd, commandLine) < commandLine.length) throw new Error('its arguments are too long');
  }

  /** Resolves when pppd has exited and was reaped; never rejects. */
  async exited(): Promise<PppdExit> {
    return this.#exit;
  }

  /** Closes the pty, so that pppd does not try to terminate the connection with a client that is gone. Idempotent. */
  hangUp(): void {
    if (this.#hungUp) return;
    this.#hungUp = true;
    close(this.fd);
  }

  /** Sends TERM, and KILL after `seconds`; resolves when pppd was reaped. Idempotent. */
  async end(seconds: number): Promise<PppdExit> {
    if (!this.#ending && !this.#over) {
      this.#ending = true;
      this.#pty.kill('SIGTERM');
      this.#killTimer = setTimeout(() => this.#pty.kill('SIGKILL'), seconds * 1000);
    }
    return this.#exit;
  }
}

/**
 * Duplicates the pty's master. node-pty's stream reads even while it is paused, and the relay would lose that data, so
 * the stream is destroyed before the event loop runs. (node-pty reports pppd's exit when its stream has closed, or 200
 * ms later.)
 */
function takeMaster(pty: IPty): number {
  const { fd, _socket: stream } = pty as IPty & { readonly fd: number; readonly _socket: Socket };
  const master = duplicate(fd);
  stream.destroy();
  return master;
}
