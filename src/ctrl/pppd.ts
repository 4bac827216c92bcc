/**
 * pppd on its pty: birth, kill ladder, and what its end means. node-pty owns pty and process; the frames on the pty
 * are the relay's, which reads and writes the descriptor itself.
 */
import { accessSync, constants } from 'node:fs';
import type { Socket } from 'node:net';
import { type IPty, spawn } from 'node-pty';
import { close, duplicate } from '../gre/system.js';
import type { Timers } from './timers.js';

/** pppd's exit codes (pppd(8), EXIT STATUS) as reasons. */
const EXIT_CODES: Readonly<Record<number, string>> = {
  1: 'an immediately fatal error',
  2: 'an error in its options or options file',
  3: 'it is not set-uid root and not run by root',
  4: 'the kernel does not support PPP',
  5: 'it was told to end',
  6: 'the serial port could not be locked',
  7: 'the serial port could not be opened',
  8: 'the connect script failed',
  9: 'the pty command could not be run',
  10: 'the PPP negotiation failed: no network protocol came up',
  11: 'the peer did not authenticate itself',
  12: 'the link was idle',
  13: 'the connect time limit was reached',
  14: 'a callback was negotiated',
  15: 'the peer no longer answered its echo requests',
  16: 'the link was hung up',
  17: 'the link is looped back',
  18: 'the init script failed',
  19: 'we failed to authenticate ourselves to the peer',
};

export interface PppdExit {
  readonly code: number;
  /** 0: ended by itself. */
  readonly signal: number;
  /** In words, for the log. */
  readonly text: string;
}

const exitText = (code: number, signal: number): string =>
  signal > 0
    ? `pppd was ended by signal ${signal}`
    : `pppd ended: ${EXIT_CODES[code] ?? 'for a reason of its own'} (exit code ${code})`;

/** What pppd and its scripts see; nothing of the manager's own environment. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' };

export class Pppd {
  /** The pty's master, for the relay; valid until pppd has exited or `hangUp`. */
  readonly fd: number;
  readonly #pty: IPty;
  readonly #timers: Timers;
  readonly #exit: Promise<PppdExit>;
  #over = false;
  #ending = false;
  #hungUp = false;

  /** Starts `path` on a new pty. Throws the sentence for the log when it cannot be started. */
  constructor(path: string, args: readonly string[], timers: Timers) {
    this.#timers = timers;
    try {
      accessSync(path, constants.X_OK);
      this.#pty = spawn(path, [...args], { cwd: '/', env: ENVIRONMENT, encoding: null });
    } catch (error) {
      throw new Error(`cannot start ${path}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    this.fd = takeMaster(this.#pty);
    this.#exit = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal = 0 }) => {
        this.#over = true;
        this.#timers.stop('pppdExit');
        this.hangUp();
        resolve({ code: exitCode, signal, text: exitText(exitCode, signal) });
      });
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Resolves when pppd has ended and was reaped; never rejects. */
  async exited(): Promise<PppdExit> {
    return this.#exit;
  }

  /** Closes the pty: a pppd that nobody listens to any more need not say goodbye over it. Idempotent. */
  hangUp(): void {
    if (this.#hungUp) return;
    this.#hungUp = true;
    close(this.fd);
  }

  /** TERM, and KILL after `seconds`; resolves when pppd was reaped. Idempotent. */
  async end(seconds: number): Promise<PppdExit> {
    if (!this.#ending && !this.#over) {
      this.#ending = true;
      this.#pty.kill('SIGTERM');
      this.#timers.start('pppdExit', Math.max(seconds, 0.001), () => this.#pty.kill('SIGKILL'));
    }
    return this.#exit;
  }
}

/**
 * The pty's master under a descriptor of our own. node-pty's stream reads even while it is paused, and what it has read
 * the relay would miss: so it is closed before the event loop has looked at it. (node-pty tells of pppd's end when its
 * stream has closed, or 200 ms later.)
 */
function takeMaster(pty: IPty): number {
  const { fd, _socket: stream } = pty as IPty & { readonly fd: number; readonly _socket: Socket };
  const master = duplicate(fd);
  stream.destroy();
  return master;
}
