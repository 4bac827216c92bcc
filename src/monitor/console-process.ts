/**
 * The console's process as the monitor sees it: started with a user of its own and the server's group, so that it may use
 * the sockets of the run directory while no worker may signal or trace it. The monitor reads what only root may and answers
 * its requests (console-requests). It is restarted when it dies, is told a renewed certificate, and ends when its connection
 * closes.
 */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Certificate, type ConsoleSettings, MAX_CONSOLE_REQUEST, type Renewal } from '../console/protocol.js';
import { RestartDelay } from '../host/restart-delay.js';
import { CONSOLE_UID } from '../host/unix-user.js';
import type { Logger } from '../log/logger.js';
import { readLines } from '../session/lines.js';
import { messageOf } from '../sys/thrown.js';
import { CertificateWatch } from './certificate-watch.js';
import type { ConsoleRequests } from './console-requests.js';
import type { MonitorConsoleSettings } from './protocol.js';
import { startUnprivileged } from './unprivileged-process.js';

const ENTRY = fileURLToPath(new URL('../bundle/console.js', import.meta.url));
const CONNECTION = 3;
/** Requests that are worked on at the same time. */
const MAX_AT_ONCE = 8;

interface Running {
  readonly child: ChildProcess;
  readonly connection: Duplex;
  /** As JSON. */
  readonly settings: string;
  certificate: Certificate | null;
  readonly startedAt: number;
}

type CertificateFiles = NonNullable<MonitorConsoleSettings['tls']>;

/** Makes what answers the requests; loaded only with a console. */
export type OpenRequests = (settings: MonitorConsoleSettings) => Promise<ConsoleRequests>;

export class ConsoleProcess {
  readonly #log: Logger;
  readonly #level: string;
  readonly #runDirectory: string;
  readonly #openRequests: OpenRequests;
  #settings: MonitorConsoleSettings | null = null;
  #running: Running | null = null;
  #watch: CertificateWatch | null = null;
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

  /** Starts the process, restarts it with other settings, tells it another certificate, or ends it. */
  configure(settings: MonitorConsoleSettings | null): void {
    this.#settings = settings;
    this.#watch?.close();
    this.#watch = null;
    if (settings === null) this.#end();
    else {
      // Before they are read: no change is missed.
      if (settings.tls !== null) this.#watchFiles(settings.tls);
      this.#use(settings);
    }
  }

  #watchFiles({ certificate, key }: CertificateFiles): void {
    this.#watch = new CertificateWatch({ files: [certificate, key], onChange: () => this.#useAgain(), log: this.#log });
  }

  #useAgain(): void {
    if (this.#settings !== null) this.#use(this.#settings);
  }

  #use(settings: MonitorConsoleSettings): void {
    const told = JSON.stringify(settings);
    const running = this.#running?.settings === told ? this.#running : null;
    if (running === null) this.#end();
    let certificate: Certificate | null;
    try {
      certificate = settings.tls && read(settings.tls);
    } catch (error) {
      const outcome = running === null ? 'the console does not start' : 'the console keeps the certificate that it has';
      this.#log.error(
        { err: error },
        `${outcome}: ${messageOf(error)}; remedy: correct the files, or correct console.tls and restart the server`,
      );
      return;
    }
    if (running === null) this.#start(settings, told, certificate);
    else if (certificate !== null) this.#renew(running, certificate);
  }

  #renew(running: Running, certificate: Certificate): void {
    if (JSON.stringify(running.certificate) === JSON.stringify(certificate)) return;
    running.certificate = certificate;
    running.connection.write(`${JSON.stringify({ renewed: certificate } satisfies Renewal)}\n`);
  }

  #start(settings: MonitorConsoleSettings, told: string, certificate: Certificate | null): void {
    clearTimeout(this.#retryTimer);
    const child = startUnprivileged({
      entry: ENTRY,
      args: [this.#level],
      uid: CONSOLE_UID,
      gid: settings.gid,
      channel: 'pipe',
    });
    const connection = child.stdio[CONNECTION] as Duplex;
    const running: Running = { child, connection, settings: told, certificate, startedAt: performance.now() };
    this.#running = running;
    // The process's end, which is logged, says why.
    connection.on('error', () => undefined);
    const { listen, configuration, accounting } = settings;
    const runDirectory = this.#runDirectory;
    const about: ConsoleSettings = { ...listen, configuration, accounting, runDirectory, tls: certificate };
    connection.write(`${JSON.stringify(about)}\n`);
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
    this.#retryTimer = setTimeout(() => this.#useAgain(), delay);
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

/** Throws if a file cannot be read. */
const read = ({ certificate, key }: CertificateFiles): Certificate => ({
  certificate: readFileSync(certificate, 'utf8'),
  key: readFileSync(key, 'utf8'),
});
