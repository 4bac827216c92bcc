/**
 * The built server under test: `bin/pptpd-ts serve` with a configuration and folders of its own, its log as values, and
 * the proof at its end that nothing of it is left. Needs a namespace (netns.ts): it is what tells what is left.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { askManager } from '../../../src/cli/ask-manager.js';
import type { Configuration } from '../../../src/config/schema.js';
import { listSessions } from '../../../src/session/client.js';
import { managerStatus } from '../../../src/session/manager-status.js';
import { readRecord } from '../../../src/session/record.js';
import type { SessionState } from '../../../src/session/state.js';
import { childrenOf, namespaceProcesses } from './netns.js';
import { type Fault, FaultFolder } from './worker-fault.js';
import { Arrivals, until } from './wait.js';

export const STAND_IN_PPPD = resolve('test/process/support/stand-in-pppd');
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGQUIT', 'SIGKILL']);
const PROGRAM = resolve('bin/pptpd-ts');

/** Where the server listens, and where clients come from. */
export const SERVER_ADDRESS = '192.0.2.1';
export const CLIENT_ADDRESSES = ['198.51.100.1', '198.51.100.2', '198.51.100.3'] as const;
export const TUNNEL_LOCAL = '203.0.113.1';
export const TUNNEL_REMOTE = '203.0.113.10-29';

/** A configuration file's content: any part of the whole. */
export type Settings = {
  readonly [Key in keyof Configuration]?: Configuration[Key] extends object | undefined
    ? Partial<Configuration[Key]>
    : Configuration[Key];
};

/** A line of the log, with the keys that every line has. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly role: 'manager' | 'ctrl' | 'broadcast';
  readonly pid: number;
  readonly session?: string;
  readonly peer?: string;
  readonly [key: string]: unknown;
}

/** What a stand-in pppd has noted. */
export interface PppdNote {
  readonly pid: number;
  readonly event: 'started' | 'signal' | 'frame' | 'hangup' | 'ended';
  readonly argv?: readonly string[];
  readonly name?: string;
  readonly good?: boolean;
  /** A frame's, as they came over the pty, in hexadecimal. */
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
  /** What came on standard error, and on standard output without being a log line. */
  words = '';
  #process: ChildProcess | undefined;
  #exit: Promise<Exit> | undefined;
  /** It was told to end. */
  #isEnding = false;

  /** Without `faulty` its workers are as they are, and start faster: `strikeWorker` has no effect then. */
  constructor(faulty = true, program = PROGRAM) {
    this.#faulty = faulty;
    this.#program = program;
  }

  /** Writes the configuration: what the tests need, with `settings` on top, `standIn` telling the stand-in pppd what to be. */
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
      base[key] = typeof value === 'object' && typeof part === 'object' ? { ...part, ...value } : value;
    }
    writeFileSync(this.configurationFile, JSON.stringify(base));
  }

  /** Starts it, by `prefix` if there is one; `ready` or `exited` tell what came of it. */
  start(...prefix: readonly string[]): void {
    const env = { ...process.env, ...(this.#faulty ? this.#faults.environment : {}) };
    const [command, ...args] = [...prefix, this.#program, 'serve', '-c', this.configurationFile];
    assert(command !== undefined);
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#process = child;
    this.#isEnding = false;
    // Not 'close': sessions that outlive the manager hold the pipes.
    this.#exit = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (this.words += chunk));
    let pending = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (pending + chunk).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) this.#recvLine(line);
    });
  }

  #recvLine(line: string): void {
    try {
      const parsed: LogLine = JSON.parse(line);
      this.log.add(parsed);
    } catch {
      this.words += `${line}\n`;
    }
  }

  /** Resolves when it listens. Rejects when it ends instead. */
  async ready(): Promise<void> {
    const early = this.exited().then(({ code }) => {
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
    return this.#exit;
  }

  /** It has ended, and everything that it and its workers said was read. */
  async closed(): Promise<Exit> {
    assert(this.#process !== undefined, 'the server was not started');
    const [code, signal] = await once(this.#process, 'close');
    return { code, signal };
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#isEnding ||= ENDING.has(name);
    process.kill(this.pid, name);
  }

  /** Has it read `settings` by HUP; resolves when it has said what it thinks of them. */
  async reconfigure(settings: Settings, standIn: readonly string[] = []): Promise<LogLine> {
    this.configure(settings, standIn);
    const before = this.log.all.length;
    this.signal('SIGHUP');
    return this.log.find(
      'word on the new configuration',
      (line) => /configuration/.test(line.msg) && this.log.all.indexOf(line) >= before,
    );
  }

  /** The first line, of the past or to come, that fits. */
  async waitForLog(what: string, accepts: (line: LogLine) => boolean): Promise<LogLine> {
    return this.log.find(what, accepts);
  }

  /** Takes back an order that strikes every worker. */
  cancelStrike(fault: Fault): void {
    this.#faults.cancel(fault);
  }

  /** Strikes the next ctrl worker that gets there; resolves with its process id when it was struck. */
  async strikeWorker(fault: Fault): Promise<number> {
    this.#faults.order(fault);
    return until(`a ctrl worker to be ${fault}`, () => this.#faults.victim(fault));
  }

  /** The manager's children that have no client: worker processes that no session's record names. */
  spareWorkers(): number[] {
    const busy = new Set(
      this.sessionFiles('.json').map((name) => readRecord(this.runDirectory, name.slice(0, -5))?.worker.pid),
    );
    return childrenOf(this.pid)
      .filter(({ zombie, pid }) => !zombie && !busy.has(pid))
      .map(({ pid }) => pid);
  }

  /** Resolves when `count` workers are ready for a client, and none is still starting. */
  async waitForSpareWorkers(count: number): Promise<void> {
    await until(`${count} spare workers`, async () => {
      const { workers } = managerStatus.parse(await askManager(this.runDirectory, 'status'));
      return workers.idle === count && workers.starting === 0;
    });
  }

  /** The manager's open descriptors, without the channels to its workers: how many of those are idle changes with time. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length - childrenOf(this.pid).length;
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
      const { sessions } = managerStatus.parse(await askManager(this.runDirectory, 'status'));
      return isDeepStrictEqual(sessions, phases);
    });
  }

  /** Files of sessions in the run directory: `.sock`, `.json`. */
  sessionFiles(ending = ''): string[] {
    const sessions = join(this.runDirectory, 'sessions');
    return existsSync(sessions) ? readdirSync(sessions).filter((name) => name.endsWith(ending)) : [];
  }

  /** As somebody does who cleans up /run. In one step: a session may just be writing there. */
  removeRunDirectory(): void {
    const aside = join(this.directory, 'removed-run');
    renameSync(this.runDirectory, aside);
    rmSync(aside, { recursive: true });
  }

  /** Accounts that are open, or owed. */
  accounts(): string[] {
    return readdirSync(join(this.runDirectory, 'accounts'));
  }

  /** What the stand-in pppds have noted so far. */
  pppdNotes(): PppdNote[] {
    if (!existsSync(this.#notes)) return [];
    const notes: PppdNote[] = JSON.parse(`[${readFileSync(this.#notes, 'utf8').trimEnd().replaceAll('\n', ',')}]`);
    return notes;
  }

  async waitForPppd(what: string, accepts: (note: PppdNote) => boolean): Promise<PppdNote> {
    return until(`a stand-in pppd that notes ${what}`, () => this.pppdNotes().find(accepts));
  }

  /** TERM, unless it was told to end before: Node, about to exit, would be killed by it. Resolves with how it ended. */
  async stop(): Promise<Exit> {
    if (this.isRunning && !this.#isEnding) this.signal('SIGTERM');
    return this.exited();
  }

  /** Resolves when no process but the test's own is in the namespace, and no session in the run directory. */
  async nothingLeft(): Promise<void> {
    await until('every process of the server to be gone', () => namespaceProcesses().length === 0).catch(() => {
      assert.deepEqual(namespaceProcesses(), [], 'processes that the server left behind');
    });
    assert.deepEqual(this.sessionFiles(), [], 'files that sessions left behind');
  }

  /** Kills what is left, removes the folders. */
  cleanUp(): void {
    for (const { pid, zombie } of namespaceProcesses()) if (!zombie) process.kill(pid, 'SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** When the test ends, `server` is stopped by TERM; that has to take exit code 0 and leave nothing behind. */
export function endWith(t: TestContext, server: Server): void {
  t.after(async () => {
    try {
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
      await server.nothingLeft();
    } finally {
      if (server.words !== '') t.diagnostic(`the server said: ${server.words}`);
      server.cleanUp();
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
