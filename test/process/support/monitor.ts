/** A monitor under test, whose manager is the test itself, and workers without privileges for its sessions. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { on, once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { identify, type ProcessIdentity } from '../../../src/host/process.js';
import { findUnixUser } from '../../../src/host/unix-user.js';
import { ensureMonitor } from '../../../src/monitor/ensure-monitor.js';
import { MonitorRegistrar } from '../../../src/monitor/monitor-registrar.js';
import type { MonitorSettings } from '../../../src/monitor/protocol.js';
import { runPaths } from '../../../src/session/paths.js';
import { atEnd } from './at-end.js';
import { namespaceProcesses } from './netns.js';
import { makeReachable } from './reachable.js';
import { until, within } from './wait.js';

const WORKER = fileURLToPath(new URL('monitor-worker.js', import.meta.url));
const USER = 'nobody';
const account = findUnixUser(USER) ?? assert.fail(`this machine has no user ${USER}`);
/** A process that nothing privileges, and that can get nothing. */
const UNPRIVILEGED = [
  `--reuid=${account.uid}`,
  `--regid=${account.gid}`,
  '--clear-groups',
  '--inh-caps=-all',
  '--bounding-set=-all',
  '--no-new-privs',
];
export const SCRIPTS = '/etc/ppp';
export const LOCAL = '192.0.2.1';
export const PEER = '198.51.100.7';
/** What it called. */
export const SERVER = '192.0.2.200';
const EVENTS = ['ip-pre-up', 'ip-up', 'ip-down', 'ipv6-up', 'ipv6-down'] as const;

/** Call it once, in the namespaces of the test file: /etc/ppp is the test's, and nobody can run the program. */
export function prepareMachine(): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'test', SCRIPTS], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const mayEnter = (folder: string): boolean =>
    spawnSync('setpriv', [...UNPRIVILEGED, 'test', '-x', folder]).status === 0;
  makeReachable([process.cwd(), dirname(process.execPath), tmpdir()], mayEnter);
}

/** What the monitor answers a worker: a result, or why there is none. */
export type Outcome = { readonly result: unknown } | { readonly failure: unknown };

/** A worker without privileges that does what it is told. */
export class MonitorWorker {
  readonly #child: ChildProcess;
  readonly identity: ProcessIdentity;
  /** Resolves when the process has ended. */
  readonly ended: Promise<unknown>;

  #acts = 0;

  /** `session`: that it asks for. `privileges`: arguments of setpriv. */
  constructor(t: TestContext, path: string, session = sessionName(1), privileges: readonly string[] = UNPRIVILEGED) {
    this.#child = spawn('setpriv', [...privileges, process.execPath, WORKER, path, session], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.identity = identify(this.#child.pid ?? 0) ?? assert.fail('the worker was not started');
    this.ended = once(this.#child, 'exit');
    t.after(() => this.kill());
  }

  async act(act: string, ...args: readonly unknown[]): Promise<Outcome> {
    this.#acts += 1;
    const id = this.#acts;
    this.#child.send({ id, act, args });
    return within(`the worker's answer to ${act}`, this.#outcome(id));
  }

  async #outcome(id: number): Promise<Outcome> {
    for await (const [answer] of on(this.#child, 'message')) {
      const { id: of, outcome } = answer as { readonly id: number; readonly outcome: Outcome };
      if (of === id) return outcome;
    }
    assert.fail('the worker has ended');
  }

  /** The result of an act that must not fail. */
  async does(act: string, ...args: readonly unknown[]): Promise<unknown> {
    const outcome = await this.act(act, ...args);
    assert('result' in outcome, `${act}: ${JSON.stringify(outcome)}`);
    return outcome.result;
  }

  /** Asserts that the monitor refuses an act for this reason. */
  async isRefused(reason: string, act: string, ...args: readonly unknown[]): Promise<void> {
    assert.deepEqual(await this.act(act, ...args), { failure: { kind: 'refused', reason } }, act);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

const sessionName = (number: number): string => `sess${String(number).padStart(2, '0')}`;

export class TestMonitor {
  readonly #folder: string;
  /** The run directory, which belongs to the workers' user. */
  readonly directory: string;
  readonly path: string;
  readonly secrets: string;
  readonly accounts: string;
  readonly registrar: MonitorRegistrar;
  readonly #settings: MonitorSettings;
  #sessions = 0;

  private constructor(settings: Partial<MonitorSettings>) {
    this.#folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-monitor-'));
    chmodSync(this.#folder, 0o755);
    this.directory = join(this.#folder, 'run');
    mkdirSync(this.directory, { mode: 0o750 });
    chownSync(this.directory, account.uid, account.gid);
    this.path = runPaths(this.directory).monitorSocket;
    this.secrets = join(this.#folder, 'chap-secrets');
    this.accounts = join(this.#folder, 'accounts.json');
    this.registrar = new MonitorRegistrar(this.path);
    this.#settings = {
      secrets: this.secrets,
      accounts: this.accounts,
      name: 'pptpd',
      stripDomain: false,
      authentication: ['ms-chap-v2', 'pap'],
      proxyArp: false,
      vrf: null,
      ...settings,
    };
    writeFileSync(this.secrets, 'alice pptpd wonderland *\nbob * builder 203.0.113.77\n', { mode: 0o600 });
  }

  static async start(t: TestContext, settings: Partial<MonitorSettings> = {}): Promise<TestMonitor> {
    const monitor = new TestMonitor(settings);
    atEnd(t, async () => monitor.#end());
    await monitor.ensure();
    return monitor;
  }

  /** As root does before the server starts; the manager is this process. */
  async ensure(manager = process.pid): Promise<void> {
    const { directory: runDirectory } = this;
    await ensureMonitor({ runDirectory, level: 'silent', manager, settings: this.#settings });
  }

  /** A worker with a session, to which `remote` is lent. */
  async worker(t: TestContext, remote: string | null = '203.0.113.10'): Promise<MonitorWorker> {
    const worker = new MonitorWorker(t, this.path, sessionName(this.#sessions + 1));
    await this.register(worker, remote);
    return worker;
  }

  /** Gives the worker its next session; returns the session's name. */
  async register(worker: Pick<MonitorWorker, 'identity'>, remote: string | null = '203.0.113.10'): Promise<string> {
    this.#sessions += 1;
    const session = sessionName(this.#sessions);
    const callId = this.#sessions;
    const { identity } = worker;
    const [local, peer, server] = [LOCAL, PEER, SERVER];
    await this.registrar.register({ session, worker: identity, local, remote, peer, server, callId });
    return session;
  }

  /** Process ids of the monitor, or of its supervisor. */
  processes(which: 'monitor' | 'supervisor'): number[] {
    const title = `pptpd-ts monitor ${which === 'supervisor' ? 'supervisor ' : ''}${this.directory}`;
    return namespaceProcesses()
      .filter(({ command, zombie }) => !zombie && command.startsWith(title))
      .map(({ pid }) => pid);
  }

  async killed(): Promise<void> {
    const [pid = assert.fail('no monitor runs')] = this.processes('monitor');
    process.kill(pid, 'SIGKILL');
    await until('another monitor', () => this.processes('monitor').some((each) => each !== pid));
  }

  /** Ends both of its processes, as an administrator does. */
  async stopped(): Promise<void> {
    for (const pid of this.processes('supervisor')) process.kill(pid, 'SIGTERM');
    await until(
      'the monitor to end',
      () => this.processes('supervisor').length + this.processes('monitor').length === 0,
    );
  }

  async #end(): Promise<void> {
    this.registrar.close();
    await this.stopped();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Scripts that write down how they were called: arguments and environment, a line for each. */
export function recordScripts(t: TestContext): { readonly calls: () => readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-scripts-'));
  const record = join(folder, 'record');
  mkdirSync(SCRIPTS, { recursive: true });
  for (const event of EVENTS)
    writeFileSync(
      join(SCRIPTS, event),
      `#!/bin/sh\nexport -p > ${folder}/$$\necho "${event} $* | $(grep -v 'PWD=\\|OLDPWD' ${folder}/$$ | sed 's/^export //' | tr '\\n' ' ')" >> ${record}\n`,
      { mode: 0o755 },
    );
  t.after(() => {
    for (const event of EVENTS) rmSync(join(SCRIPTS, event));
    rmSync(folder, { recursive: true });
  });
  return {
    calls: () => (existsSync(record) ? readFileSync(record, 'utf8').trimEnd().split('\n') : []),
  };
}
