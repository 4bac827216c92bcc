/**
 * The console's process as the monitor sees it: started with a user of its own and the server's group, so that it may use
 * the sockets of the run directory while no worker may signal or trace it. The monitor reads what only root may and answers
 * its requests (console-requests). It is restarted when it dies, and ends when its connection closes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type ConsoleSettings, MAX_CONSOLE_REQUEST } from '../console/protocol.js';
import { RestartDelay } from '../host/restart-delay.js';
import { CONSOLE_UID } from '../host/unix-user.js';
import type { Logger } from '../log/logger.js';
import { readLines } from '../session/lines.js';
import { messageOf } from '../sys/thrown.js';
import type { ConsoleRequests } from './console-requests.js';
import type { MonitorConsoleSettings } from './protocol.js';

const ENTRY = fileURLToPath(new URL('../console/main.js', import.meta.url));
const CONNECTION = 3;
/** Requests that are worked on at the same time. */
const MAX_AT_ONCE = 8;

interface Running {
  readonly child: ChildProcess;
  readonly connection: Duplex;
  readonly settings: string;
  readonly startedAt: number;
}

/** Makes what answers the requests; loaded only with a console. */
export type OpenRequests = (settings: MonitorConsoleSettings) => Promise<ConsoleRequests>;

export class ConsoleProcess {
  readonly #log: Logger;
  readonly #level: string;
  readonly #runDirectory: string;
  readonly #openRequests: OpenRequests;
  #settings: MonitorConsoleSettings | null = null;
  #running: Running | null = null;
  readonly #delay = new RestartDelay({ first: 50, last: 30_000, stable: 60_000 });
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly log: Logger;
    readonly level: string;
    readonly runDirectory: string;
    readonly openRequests: OpenRequests;
  }) {
    this.#log = options.log;
    this.#level = options.level;
    this.#runDirectory = options.runDirectory;
    this.#openRequests = options.openRequests;
  }

  /** Starts the process, restarts it with other settings or another certificate, or ends it. */
  configure(settings: MonitorConsoleSettings | null): void {
    this.#settings = settings;
    if (settings === null) {
      this.#end();
      return;
    }
    const told = this.#read(settings);
    if (told === this.#running?.settings) return;
    this.#end();
    if (told !== null) this.#start(settings, told);
  }

  /** The settings for the process; null, and a log line, if the certificate or its key cannot be read. */
  #read(settings: MonitorConsoleSettings): string | null {
    const { listen, tls, configuration, accounting } = settings;
    const told = {
      ...listen,
      configuration,
      accounting,
      runDirectory: this.#runDirectory,
    };
    try {
      const pem = tls && {
        certificate: readFileSync(tls.certificate, 'utf8'),
        key: readFileSync(tls.key, 'utf8'),
      };
      return JSON.stringify({ ...told, tls: pem } satisfies ConsoleSettings);
    } catch (error) {
      this.#log.error(
        { err: error },
        `the console does not start: ${messageOf(error)}; remedy: correct console.tls, and restart the server`,
      );
      return null;
    }
  }

  #start(settings: MonitorConsoleSettings, told: string): void {
    clearTimeout(this.#retryTimer);
    const child = spawn(
      'setpriv',
      [
        `--reuid=${CONSOLE_UID}`,
        `--regid=${settings.gid}`,
        '--clear-groups',
        '--inh-caps=-all',
        '--ambient-caps=-all',
        '--bounding-set=-all',
        '--no-new-privs',
        process.execPath,
        ...process.execArgv,
        ENTRY,
        this.#level,
      ],
      { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], cwd: '/', env: { PATH: process.env['PATH'] } },
    );
    const connection = child.stdio[CONNECTION] as Duplex;
    const running: Running = { child, connection, settings: told, startedAt: performance.now() };
    this.#running = running;
    // The process's end, which is logged, says why.
    connection.on('error', () => undefined);
    connection.write(`${told}\n`);
    this.#serve(running, settings).catch((error: unknown) => {
      this.#log.error({ err: error }, 'the requests of the console cannot be answered');
      connection.destroy();
    });
    child.on('error', (error) => this.#ended(running, error.message));
    child.on('close', (code, signal) => this.#ended(running, signal ?? `exit code ${code}`));
  }

  async #serve({ connection, child }: Running, settings: MonitorConsoleSettings): Promise<void> {
    const requests = await this.#openRequests(settings);
    const waiting: unknown[] = [];
    let working = 0;
    const answer = async (line: unknown): Promise<void> => {
      const given = await requests.answer(line);
      if (given === null) this.#log.error({ console: child.pid }, 'ignored a malformed request from the console');
      else await new Promise<void>((resolve) => connection.write(`${JSON.stringify(given)}\n`, () => resolve()));
      working -= 1;
      work();
    };
    // Beyond that requests wait, and no more are read.
    const work = (): void => {
      const begun = waiting.splice(0, MAX_AT_ONCE - working);
      working += begun.length;
      for (const line of begun) void answer(line);
      if (waiting.length > 0) connection.pause();
      else connection.resume();
    };
    readLines(
      connection,
      (line) => {
        waiting.push(line);
        work();
      },
      MAX_CONSOLE_REQUEST,
    );
  }

  #ended(running: Running, how: string): void {
    if (this.#running !== running) return;
    this.#release(running);
    const delay = this.#delay.next(performance.now() - running.startedAt);
    this.#log.error(
      { console: running.child.pid, how, retrySeconds: delay / 1000 },
      `the console's process ended (${how}); starting it again`,
    );
    this.#retryTimer = setTimeout(() => this.configure(this.#settings), delay);
  }

  #end(): void {
    clearTimeout(this.#retryTimer);
    if (this.#running !== null) this.#release(this.#running);
  }

  /** It ends when its connection closes. */
  #release({ connection }: Running): void {
    this.#running = null;
    connection.destroy();
  }
}
