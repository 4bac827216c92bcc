/** What the checks look at, as an interface: the real machine, or one that a test describes. */
import { execFile } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

export interface CommandResult {
  /** null: it could not be run. */
  readonly code: number | null;
  /** Standard output and error together. */
  readonly output: string;
}

export interface Machine {
  /** The file's text, or null when it is missing or not to be read. */
  read(path: string): string | null;
  /** Permission bits, or null when there is no such file. */
  mode(path: string): number | null;
  isExecutable(path: string): boolean;
  isWritable(path: string): boolean;
  run(path: string, args: readonly string[]): Promise<CommandResult>;
  /** This machine's IPv4 networks: `192.0.2.1/24` on `eth0`. */
  networks(): readonly { readonly name: string; readonly cidr: string }[];
  /** Tries a raw GRE socket; null, or the system's words. */
  openGreSocket(): Promise<string | null>;
}

/** A command that hangs is as good as one that fails; milliseconds. */
const COMMAND_TIMEOUT_MS = 5000;

const canAccess = (path: string, mode: number): boolean => {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
};

export const thisMachine: Machine = {
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  },
  mode: (path) => statSync(path, { throwIfNoEntry: false })?.mode ?? null,
  isExecutable: (path) => canAccess(path, constants.X_OK),
  isWritable: (path) => canAccess(path, constants.W_OK),
  run: async (path, args) =>
    new Promise((resolve) => {
      execFile(path, [...args], { timeout: COMMAND_TIMEOUT_MS }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ code, output: `${stdout}${stderr}`.trim() });
      });
    }),
  networks: () =>
    Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
      addresses.flatMap(({ family, cidr }) => (family === 'IPv4' && cidr !== null ? [{ name, cidr }] : [])),
    ),
  async openGreSocket() {
    try {
      const { default: raw } = await import('raw-socket');
      new raw.Socket({ protocol: 47 }).close();
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
};
