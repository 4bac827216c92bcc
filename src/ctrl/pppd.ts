/**
 * pppd on its pty: birth, kill ladder, and what its end means. node-pty owns pty and process; the frames on the pty
 * are the relay's, which reads and writes the descriptor itself.
 *
 * Forking a Node process takes longer than all of pppd's start. So the process is there before it is needed: a shell
 * that waits on the pty for pppd's command line, and becomes pppd by exec, with the same process id.
 */
import { accessSync, constants, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type IPty, spawn } from 'node-pty';
import { close, duplicate, makeRaw } from '../gre/system.js';
import { identify, type ProcessIdentity } from '../host/process.js';

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
  20: 'the traffic limit was reached',
  21: "the client's address is not allowed (allow-number)",
  // Of the shell that was to become pppd (POSIX, Shell Command Language 2.8.2).
  126: 'the system would not run it',
  127: 'it is not there any more',
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

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What pppd and its scripts see; nothing of the manager's own environment. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' };

const SHELL = '/bin/sh';
/** The shell's script, and its name as ps(1) shows it. */
const BECOME_PPPD = ['-c', 'n="\n"; IFS= read -r command && eval "exec $command"', 'pptpd-ts: becomes pppd'];

/** A word of the command line, which is one line, as that shell reads it: it sees nothing in it. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`).replaceAll('\n', `'"$n"'`)}'`;

export class Pppd {
  /** The pty's master, for the relay; valid until pppd has exited or `hangUp`. */
  readonly fd: number;
  /** null when it had ended before it could be looked at. */
  readonly identity: ProcessIdentity | null;
  readonly #pty: IPty;
  readonly #exit: Promise<PppdExit>;
  #killTimer: NodeJS.Timeout | undefined;
  #over = false;
  #ending = false;
  #hungUp = false;

  /** A process on a new pty that becomes pppd by `start`. Throws a sentence when there cannot be one. */
  constructor() {
    try {
      this.#pty = spawn(SHELL, BECOME_PPPD, { cwd: '/', env: ENVIRONMENT, encoding: null });
    } catch (error) {
      throw new Error(`cannot start a process for pppd: ${messageOf(error)}`, { cause: error });
    }
    this.fd = takeMaster(this.#pty);
    // The command line is not to come back as an echo.
    makeRaw(this.fd);
    this.identity = identify(this.#pty.pid);
    this.#exit = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal = 0 }) => {
        this.#over = true;
        clearTimeout(this.#killTimer);
        this.hangUp();
        resolve({ code: exitCode, signal, text: exitText(exitCode, signal) });
      });
    });
  }

  /** The process has ended, as it does also when somebody ends it before it was needed. */
  get isOver(): boolean {
    return this.#over;
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Becomes `path`; once. Throws the sentence for the log when it is known that it cannot. */
  start(path: string, args: readonly string[]): void {
    try {
      accessSync(path, constants.X_OK);
      const commandLine = Buffer.from(`${[path, ...args].map((word) => quoted(word)).join(' ')}\n`);
      if (writeSync(this.fd, commandLine) < commandLine.length) throw new Error('its arguments are too long');
    } catch (error) {
      throw new Error(`cannot start ${path}: ${messageOf(error)}`, { cause: error });
    }
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
      this.#killTimer = setTimeout(() => this.#pty.kill('SIGKILL'), seconds * 1000);
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
