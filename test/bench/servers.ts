/**
 * The servers that are compared, each started anew for every run, all alike: in the same namespace, on the same core,
 * with the same stand-in pppd. Nothing of /etc is read or written.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SECRET } from './builtin/account.js';
import { SERVER_ADDRESS, type Network } from './network.js';
import { build } from './programs.js';

/** `ours`: with pppd on a pty. `builtin`: ours with the builtin engine. `base`: another checkout of ours, built, to compare a change with what was there before. */
export type ServerName = 'builtin' | 'ours' | 'base' | 'pptpd' | 'floor';

/** The server's core; generator and stand-in pppd have the other. */
export const SERVER_CORE = 1;
export const LOAD_CORE = 0;

const START_TIMEOUT = 20_000;
const STOP_TIMEOUT = 15_000;
const TUNNEL_LOCAL = '203.0.113.1';
const TUNNEL_REMOTE = '203.0.113.2-254';
const SESSIONS = 250;

export interface StartOptions {
  /** On every core, not on its own alone. */
  readonly everyCore: boolean;
  /** Added to ours. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The files of a run's server. */
export class Servers {
  readonly #network: Network;
  readonly #directory: string;
  readonly #standIn = build('stand-in');
  readonly #options: string;
  readonly #base: string;
  /** Memory that generator and stand-ins share. */
  readonly shared: string;
  /** Of ours. */
  readonly runDirectory: string;

  /** `base`: the folder of the other checkout. */
  constructor(network: Network, directory: string, base: string) {
    this.#network = network;
    this.#directory = directory;
    this.#base = base;
    this.shared = join(directory, 'shared');
    this.runDirectory = join(directory, 'run');
    this.#options = join(directory, 'options');
    writeFileSync(this.#options, `#${this.shared}\n`);
  }

  /** Resolves when the server listens, with what stops it. */
  async start(name: ServerName, { everyCore, environment }: StartOptions): Promise<RunningServer> {
    const log = openSync(join(this.#directory, `${name}.log`), 'a');
    const place = everyCore ? [] : ['taskset', '-c', String(SERVER_CORE)];
    const command = [...place, ...this.#command(name)];
    const child = spawn('nsenter', [`--net=/run/netns/${this.#network.server}`, ...command], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...environment },
    });
    closeSync(log);
    const running = new RunningServer(name, child);
    await running.listening();
    return running;
  }

  #command(name: ServerName): string[] {
    switch (name) {
      case 'builtin':
        return [
          'bin/pptpd-ts',
          'serve',
          '-c',
          this.#ourConfiguration({ engine: 'builtin', dataPath: 'tun', secrets: this.#secrets() }),
        ];
      case 'ours':
        return ['bin/pptpd-ts', 'serve', '-c', this.#ourConfiguration({ engine: 'pppd' })];
      case 'base':
        // A pppd of another path is used whatever the machine has; older checkouts know no `ppp`.
        return [join(this.#base, 'bin/pptpd-ts'), 'serve', '-c', this.#ourConfiguration()];
      case 'pptpd':
        return ['/usr/sbin/pptpd', '--fg', '--conf', this.#theirConfiguration()];
      case 'floor':
        return [build('floor'), this.#standIn, this.#options];
    }
  }

  #secrets(): string {
    const path = join(this.#directory, 'chap-secrets');
    writeFileSync(path, SECRET, { mode: 0o600 });
    return path;
  }

  #ourConfiguration(ppp?: Readonly<Record<string, string>>): string {
    const path = join(this.#directory, 'pptpd-ts.json');
    const configuration = {
      listen: { address: SERVER_ADDRESS },
      addresses: { local: [TUNNEL_LOCAL], remote: [TUNNEL_REMOTE] },
      limits: { connections: SESSIONS },
      ppp,
      pppd: { path: this.#standIn, options: this.#options },
      runDirectory: this.runDirectory,
    };
    writeFileSync(path, JSON.stringify(configuration));
    rmSync(configuration.runDirectory, { recursive: true, force: true });
    return resolve(path);
  }

  #theirConfiguration(): string {
    const path = join(this.#directory, 'pptpd.conf');
    const lines = [
      `ppp ${this.#standIn}`,
      `option ${this.#options}`,
      `localip ${TUNNEL_LOCAL}`,
      `remoteip ${TUNNEL_REMOTE}`,
      `connections ${SESSIONS}`,
      `listen ${SERVER_ADDRESS}`,
      `pidfile ${join(this.#directory, 'pptpd.pid')}`,
    ];
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  }
}

export class RunningServer {
  readonly name: ServerName;
  readonly #child: ChildProcess;

  constructor(name: ServerName, child: ChildProcess) {
    this.name = name;
    this.#child = child;
  }

  /** Its own namespace is empty but for its listener on port 1723. */
  async listening(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT;
    while (performance.now() < deadline) {
      if (this.#child.exitCode !== null) throw new Error(`${this.name} ended with code ${this.#child.exitCode}`);
      if (this.#socketTable().some((line) => / [0-9A-F]{8}:06BB 0{8}:0000 0A /.test(line))) {
        // Spare workers start meanwhile.
        if (this.name !== 'pptpd' && this.name !== 'floor') await wait(1000);
        return;
      }
      await wait(20);
    }
    throw new Error(`${this.name} does not listen`);
  }

  /** TERM, and KILL when that does not help. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT);
    await exited;
    clearTimeout(timer);
  }

  #socketTable(): string[] {
    try {
      return readFileSync(`/proc/${this.#child.pid}/net/tcp`, 'latin1').split('\n');
    } catch {
      return [];
    }
  }
}
