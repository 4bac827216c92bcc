/** What the checks need to know of a machine: this one, or one that a test describes. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Configuration } from '../config/schema.js';
import { PROGRAM_PATH } from '../host/program-path.js';
import { openFailure } from '../host/device.js';
import type { NetworkProblem } from '../network/network-check.js';
import type { FirewallRules } from '../network/other-firewalls.js';
import type { NetworkSettings } from '../network/settings.js';
import { errorOf, messageOf } from '../sys/thrown.js';

export interface CommandResult {
  /** Exit code; null: it could not be run. */
  readonly code: number | null;
  /** Standard output and error together. */
  readonly output: string;
}

export interface Failure {
  /** Name as in errno(3), if the system gave one. */
  readonly code?: string | undefined;
  readonly message: string;
}

export interface Machine {
  readonly node: { readonly version: string; readonly arch: string };
  /** The file's text; null if it is missing or unreadable. */
  read(path: string): string | null;
  /** Permission bits; null if there is no such file. */
  mode(path: string): number | null;
  /** The owner's user id; null if there is no such file. */
  owner(path: string): number | null;
  isExecutable(path: string): boolean;
  isWritable(path: string): boolean;
  /** Its file system is mounted read-only. */
  isReadOnly(path: string): boolean;
  /** Runs a program, named by its path or found in the PATH. */
  run(path: string, args: readonly string[]): Promise<CommandResult>;
  /** As src/host/device. */
  openDevice(path: string): string | null;
  /** This process is root, whoever the server becomes. */
  readonly isRoot: boolean;
  /** Whether a monitor of root listens on this socket. */
  hasMonitor(path: string): Promise<boolean>;
  /** Whether the section `network` can be put into force, as root; null: it can. */
  findNetworkProblem(settings: NetworkSettings, table: string): Promise<NetworkProblem | null>;
  /** Everybody's firewall rules; needs root. */
  firewallRules(): Promise<FirewallRules>;
  /** The machine's IPv4 networks: `192.0.2.1/24` on `eth0`. */
  networks(): readonly { readonly name: string; readonly cidr: string }[];
  /** Loads an npm package; null, or Node's error. */
  loadModule(name: string): Promise<Error | null>;
  /** Tries to open a raw GRE socket; null, or the system's error message. */
  openGreSocket(): Promise<string | null>;
  /** Tries to listen there; null, or the system's error. */
  tryListen(listen: Configuration['listen']): Promise<Failure | null>;
}

/** Milliseconds after which a command is taken to have failed. */
const COMMAND_TIMEOUT_MS = 5000;

/** The system's error code; null when this process may. */
function accessFailure(path: string, mode: number): string | null {
  try {
    accessSync(path, mode);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

export const thisMachine: Machine = {
  node: { version: process.version, arch: process.arch },
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  },
  mode: (path) => statSync(path, { throwIfNoEntry: false })?.mode ?? null,
  owner: (path) => statSync(path, { throwIfNoEntry: false })?.uid ?? null,
  isExecutable: (path) => accessFailure(path, constants.X_OK) === null,
  isWritable: (path) => accessFailure(path, constants.W_OK) === null,
  isReadOnly: (path) => accessFailure(path, constants.W_OK) === 'EROFS',
  run: async (path, args) =>
    new Promise((resolve) => {
      const env = { ...process.env, PATH: PROGRAM_PATH };
      execFile(path, [...args], { timeout: COMMAND_TIMEOUT_MS, env }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ code, output: `${stdout}${stderr}`.trim() });
      }).stdin?.end();
    }),
  openDevice: openFailure,
  isRoot: process.geteuid?.() === 0,
  async hasMonitor(path) {
    const { isMonitorListening } = await import('../monitor/monitor-connection.js');
    return isMonitorListening(path);
  },
  async findNetworkProblem(settings, table) {
    const { findNetworkProblem } = await import('../network/network-check.js');
    return findNetworkProblem(settings, table);
  },
  async firewallRules() {
    const { readFirewallRules } = await import('../network/read-firewall-rules.js');
    return readFirewallRules();
  },
  networks: () =>
    Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
      addresses.flatMap(({ family, cidr }) => (family === 'IPv4' && cidr !== null ? [{ name, cidr }] : [])),
    ),
  async loadModule(name) {
    try {
      await import(name);
      return null;
    } catch (error) {
      return errorOf(error);
    }
  },
  async openGreSocket() {
    try {
      const { default: raw } = await import('raw-socket');
      new raw.Socket({ protocol: 47 }).close();
      return null;
    } catch (error) {
      return messageOf(error);
    }
  },
  async tryListen({ address, port, vrf }) {
    try {
      if (vrf === undefined) {
        const server = createServer((socket) => socket.destroy()).listen({ host: address, port });
        await once(server, 'listening');
        server.close();
      } else {
        const { boundToDevice } = await import('../sys/device-socket.js');
        closeSync(boundToDevice(vrf, address, port));
      }
      return null;
    } catch (error) {
      return error as NodeJS.ErrnoException;
    }
  },
};
