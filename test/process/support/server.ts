/**
 * The built server under test: `bin/pptpd-ts serve` with its own configuration and folders, its parsed log, and a check
 * at the end that it leaves nothing behind. That check needs a namespace (netns.ts).
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { askManager } from '../../../src/admin/ask-manager.js';
import type { Configuration } from '../../../src/config/schema.js';
import { listSessions } from '../../../src/session/client.js';
import { type ManagerStatus, managerStatus } from '../../../src/session/manager-status.js';
import { readRecord } from '../../../src/session/record.js';
import type { SessionState } from '../../../src/session/state.js';
import { atEnd } from './at-end.js';
import { childrenOf, killNamespace, namespaceProcesses } from './netns.js';
import { type Fault, FaultFolder } from './worker-fault.js';
import { Arrivals, until, within } from './wait.js';

export const STAND_IN_PPPD = resolve('test/process/support/stand-in-pppd');
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGQUIT', 'SIGKILL']);
export const PROGRAM = resolve('bin/pptpd-ts');

/** Where the server listens, and the clients' addresses. */
export const SERVER_ADDRESS = '192.0.2.1';
export const CLIENT_ADDRESSES = ['198.51.100.1', '198.51.100.2', '198.51.100.3'] as const;
export const TUNNEL_LOCAL = '203.0.113.1';
export const TUNNEL_REMOTE = '203.0.113.10-29';

/** Any part of a configuration. */
export type Settings = {
  readonly [Key in keyof Configuration]?: Configuration[Key] extends readonly unknown[]
    ? Configuration[Key]
    : Configuration[Key] extends object | undefined
      ? Partial<Configuration[Key]>
      : Configuration[Key];
};

/** A log line, with the keys that every line has. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly role: 'manager' | 'ctrl' | 'broadcast' | 'monitor';
  readonly pid: number;
  readonly session?: string;
  readonly peer?: string;
  readonly [key: string]: unknown;
}

/** An event that a stand-in pppd recorded. */
export interface PppdNote {
  readonly pid: number;
  readonly event: 'started' | 'signal' | 'frame' | 'hangup' | 'ended';
  readonly argv?: readonly string[];
  readonly name?: string;
  readonly good?: boolean;
  /** The octets of a frame as they were on the pty, in hexadecimal. */
  readonly octets?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Server {
  readonly directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-test-'));
  readonly runDirectory = join(this.directory, 'run');
  readonly configurationFile = join(this.directory, 'pptpd-ts.json');
  readonly #notes = join(this.directory, 'stand-in-pppd.jsonl');
  readonly #faults = new FaultFolder(join(this.directory, 'faults'));
  readonly #faulty: boolean;
  readonly #program: string;
  readonly log = new Arrivals<LogLine>();
  /** What it says that is no log line. */
  words = '';
  #process: ChildProcess | undefined;
  #exit: Promise<Exit> | undefined;
  /** It was told to exit. */
  #isEnding = false;

  /** Without `faulty` the workers are unmodified and start faster, and `strikeWorker` has no effect. */
  constructor(faulty = true, program = PROGRAM) {
    this.#faulty = faulty;
    this.#program = program;
  }

  /**
   * Writes the configuration: what the tests need, overridden by `settings`; `standIn` holds options of the stand-in
   * pppd.
   */
  configure(settings: Settings = {}, standIn: readonly string[] = []): void {
    const args = [`record=${this.#notes}`, ...standIn].map((each) => `stand-in:${each}`);
    const base: Record<string, unknown> = {
      listen: { address: SERVER_ADDRESS },
      addresses: { local: [TUNNEL_LOCAL], remote: [TUNNEL_REMOTE] },
      pppd: { path: STAND_IN_PPPD, args },
      workers: { spare: 1 },
      log: { level: 'debug' },
      runDirectory: this.runDirectory,
    };
    for (const [key, value] of Object.entries(settings)) {
      const part = base[key];
      const isSection = typeof value === 'object' && !Array.isArray(value);
      base[key] = isSection && typeof part === 'object' ? { ...part, ...value } : value;
    }
    writeFileSync(this.configurationFile, JSON.stringify(base));
  }

  /** Starts it, with the command prefix `prefix` if given; await `ready` or `exited` for the result. */
  start(...prefix: readonly string[]): void {
    const env = { ...process.env, ...(this.#faulty ? this.#faults.environment : {}) };
    const [command, ...args] = [...prefix, this.#program, 'serve', '-c', this.configurationFile];
    assert(command !== undefined);
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#process = child;
    this.#isEnding = false;
    // Not 'close', because sessions that outlive the manager hold the pipes open.
    this.#exit = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    // The monitor's log goes to standard error.
    for (const stream of [child.stdout, child.stderr]) {
      let pending = '';
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (pending + chunk).split('\n');
        pending = lines.pop() ?? '';
        for (const line of lines) this.#recvLine(line);
      });
    }
  }

  #recvLine(line: string): void {
    try {
      const parsed: LogLine = JSON.parse(line);
      this.log.add(parsed);
    } catch {
      this.words += `${line}\n`;
    }
  }

  /** Resolves when it listens; rejects if it exits before that. */
  async ready(): Promise<void> {
    assert(this.#exit !== undefined, 'the server was not started');
    const early = this.#exit.then(({ code }) => {
      throw new Error(`the server ended with code ${code}: ${this.words}`);
    });
    const listening = this.waitForLog(
      'the server to listen',
      ({ msg, pid }) => pid === this.pid && msg.startsWith('listening on'),
    );
    await Promise.race([listening, early]);
    early.catch(() => undefined);
  }

  /** The manager's process id. */
  get pid(): number {
    const pid = this.#process?.pid;
    assert(pid !== undefined, 'the server was not started');
    return pid;
  }

  async exited(): Promise<Exit> {
    assert(this.#exit !== undefined, 'the server was not started');
    return within('the server to exit', this.#exit);
  }

  /** Resolves when it has exited and all output of server and workers was read. */
  async closed(): Promise<Exit> {
    assert(this.#process !== undefined, 'the server was not started');
    const [code, signal] = await within('the output of the server to end', once(this.#process, 'close'));
    return { code, signal };
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#isEnding ||= ENDING.has(name);
    process.kill(this.pid, name);
  }

  /** Makes it reload `settings` with HUP; resolves when it has logged the result. */
  async reconfigure(settings: Settings, standIn: readonly string[] = []): Promise<LogLine> {
    this.configure(settings, standIn);
    const before = this.log.all.length;
    this.signal('SIGHUP');
    return this.log.find(
      'the result of the reload',
      (line) => /configuration/.test(line.msg) && this.log.all.indexOf(line) >= before,
    );
  }

  /** The first log line that matches, already logged or still to come. */
  async waitForLog(what: string, accepts: (line: LogLine) => boolean): Promise<LogLine> {
    return this.log.find(what, accepts);
  }

  /** Cancels an order that applies to every worker. */
  cancelStrike(fault: Fault): void {
    this.#faults.cancel(fault);
  }

  /** Orders a fault for the next ctrl worker; resolves with its process id when the fault has occurred. */
  async strikeWorker(fault: Fault): Promise<number> {
    this.#faults.order(fault);
    return until(`the fault ${fault} in a ctrl worker`, () => this.#faults.victim(fault));
  }

  /** The manager's idle workers: children that no session's record names. */
  spareWorkers(): number[] {
    const busy = new Set(
      this.sessionFiles('.json').map((name) => readRecord(this.runDirectory, name.slice(0, -5))?.worker.pid),
    );
    return childrenOf(this.pid)
      .filter(({ zombie, pid }) => !zombie && !busy.has(pid))
      .map(({ pid }) => pid);
  }

  /** Resolves when `count` workers are ready for a client and none is still starting. */
  async waitForSpareWorkers(count: number): Promise<void> {
    await until(`${count} spare workers`, async () => {
      const { workers } = await this.status();
      return workers.idle === count && workers.starting === 0;
    });
  }

  /** The manager's open descriptors, without the channels to its workers, since the number of idle workers varies. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length - childrenOf(this.pid).length;
  }

  async status(): Promise<ManagerStatus> {
    return managerStatus.parse(await askManager(this.runDirectory, 'status'));
  }

  async sessions(): Promise<readonly SessionState[]> {
    const { sessions, unreachable } = await listSessions(this.runDirectory);
    assert.deepEqual(unreachable, []);
    return sessions;
  }

  /** Resolves when the run directory has `count` sessions. */
  async waitForSessions(count: number): Promise<void> {
    await until(`${count} sessions in the run directory`, () => this.sessionFiles('.json').length === count);
  }

  /** Resolves when the manager knows of just these sessions, by their phases. */
  async waitForPhases(phases: Readonly<Record<string, number>>): Promise<void> {
    await until(`the manager to know of ${JSON.stringify(phases)}`, async () => {
      const { sessions } = await this.status();
      return isDeepStrictEqual(sessions, phases);
    });
  }

  /** Session files in the run directory: `.sock`, `.json`. */
  sessionFiles(ending = ''): string[] {
    const sessions = join(this.runDirectory, 'sessions');
    return existsSync(sessions) ? readdirSync(sessions).filter((name) => name.endsWith(ending)) : [];
  }

  /**
   * Removes the run directory, like someone who cleans up /run. It is done in one step, since a session may be writing
   * there.
   */
  removeRunDirectory(): void {
    const aside = join(this.directory, 'removed-run');
    renameSync(this.runDirectory, aside);
    rmSync(aside, { recursive: true });
  }

  /** Accounts that are open or owed. */
  accounts(): string[] {
    return readdirSync(join(this.runDirectory, 'accounts'));
  }

  /** Everything that the stand-in pppds have recorded so far. */
  pppdNotes(): PppdNote[] {
    if (!existsSync(this.#notes)) return [];
    const notes: PppdNote[] = JSON.parse(`[${readFileSync(this.#notes, 'utf8').trimEnd().replaceAll('\n', ',')}]`);
    return notes;
  }

  async waitForPppd(what: string, accepts: (note: PppdNote) => boolean): Promise<PppdNote> {
    return until(`the stand-in pppd to record ${what}`, () => this.pppdNotes().find(accepts));
  }

  /**
   * Sends TERM, unless it was already told to exit: a second TERM would kill a Node process that is about to exit.
   * Resolves with its exit code and signal.
   */
  async stop(): Promise<Exit> {
    if (this.isRunning && !this.#isEnding) this.signal('SIGTERM');
    return this.exited();
  }

  /** Process ids of the monitor and of its supervisor, as far as they run. */
  monitorProcesses(): { readonly monitor: number | undefined; readonly supervisor: number | undefined } {
    const find = (title: string): number | undefined =>
      namespaceProcesses().find(({ command, zombie }) => !zombie && command.startsWith(`${title} ${this.runDirectory}`))
        ?.pid;
    return { monitor: find('pptpd-ts monitor'), supervisor: find('pptpd-ts monitor supervisor') };
  }

  /** The process id of the console; undefined: it does not run. */
  consoleProcess(): number | undefined {
    return namespaceProcesses().find(({ command, zombie }) => !zombie && command.startsWith('pptpd-ts console'))?.pid;
  }

  /** Ends the monitor, which otherwise waits some seconds for the next server. */
  endMonitor(): void {
    const { supervisor } = this.monitorProcesses();
    if (supervisor !== undefined) process.kill(supervisor, 'SIGTERM');
  }

  /** Resolves when the namespace has no process but the test's own, and the run directory no session. */
  async nothingLeft(): Promise<void> {
    await until('every process of the server to be gone', () => namespaceProcesses().length === 0).catch(() => {
      assert.deepEqual(namespaceProcesses(), [], 'processes that the server left behind');
    });
    assert.deepEqual(this.sessionFiles(), [], 'files that sessions left behind');
  }

  /** Kills remaining processes and removes the folders. */
  async cleanUp(): Promise<void> {
    await killNamespace();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Stops `server` with TERM when the test ends; it must exit with code 0 and leave nothing behind, or is killed. */
export function endWith(t: TestContext, server: Server): void {
  atEnd(t, async () => {
    try {
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
      server.endMonitor();
      await server.nothingLeft();
    } finally {
      if (server.words !== '') t.diagnostic(`the server said: ${server.words}`);
      await server.cleanUp();
    }
  });
}

/** Starts a server for one test and waits until it listens. */
export async function startServer(t: TestContext, settings: Settings = {}, ...standIn: string[]): Promise<Server> {
  const server = new Server();
  server.configure(settings, standIn);
  endWith(t, server);
  server.start();
  await server.ready();
  return server;
}
