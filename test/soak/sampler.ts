/** What the server takes and holds at a moment: memory, descriptors, files, sessions, addresses, dead processes. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { askManager } from '../../src/admin/ask-manager.js';
import { managerStatus, type ManagerStatus } from '../../src/session/manager-status.js';
import { runPaths } from '../../src/session/paths.js';
import { listSessionIds, readRecord } from '../../src/session/record.js';
import { namespaceProcesses } from '../process/support/netns.js';

export interface Sample {
  /** Seconds since the run began. */
  readonly seconds: number;
  /** Proportional set sizes, MiB; null while there is no manager. */
  readonly managerMemory: number | null;
  readonly workersMemory: number;
  readonly workers: number;
  readonly pppds: number;
  readonly managerDescriptors: number | null;
  readonly workersDescriptors: number;
  /** Files of sessions and accounts in the run directory. */
  readonly files: number;
  readonly sessions: number;
  /** Addresses lent, by the manager's word; null while it gives none. */
  readonly lent: number | null;
  readonly zombies: number;
  /** Addresses that two sessions' records have at once. */
  readonly doubled: readonly string[];
  readonly logins: number;
}

const KIB_PER_MIB = 1024;

/** null when the process is gone. */
function ofProcess<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}

const memory = (pid: number): number | null =>
  ofProcess(
    () => Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / KIB_PER_MIB,
  );
const descriptors = (pid: number): number | null => ofProcess(() => readdirSync(`/proc/${pid}/fd`).length);
const program = (pid: number): string | null => ofProcess(() => basename(readlinkSync(`/proc/${pid}/exe`)));
const sum = (numbers: readonly (number | null)[]): number =>
  numbers.reduce<number>((total, each) => total + (each ?? 0), 0);

/** The manager's word; null when none answers. */
export async function statusOf(runDirectory: string): Promise<ManagerStatus | null> {
  try {
    return managerStatus.parse(await askManager(runDirectory, 'status'));
  } catch {
    return null;
  }
}

/** `manager`: its process id; null while there is none. */
export async function sample(
  runDirectory: string,
  manager: number | null,
  seconds: number,
  logins: number,
): Promise<Sample> {
  const status = await statusOf(runDirectory);
  const processes = namespaceProcesses();
  const living = processes.filter(({ zombie }) => !zombie).map(({ pid }) => pid);
  const programs = living.map((pid) => ({ pid, name: program(pid) }));
  const workers = programs.filter(({ pid, name }) => name === 'node' && pid !== manager).map(({ pid }) => pid);
  const { sessions, accounts } = runPaths(runDirectory);
  const ids = listSessionIds(runDirectory);
  const lent = ids.flatMap((id) => readRecord(runDirectory, id)?.lease.remote ?? []);
  return {
    seconds,
    managerMemory: manager === null ? null : memory(manager),
    workersMemory: sum(workers.map(memory)),
    workers: workers.length,
    pppds: programs.filter(({ name }) => name?.startsWith('python') === true).length,
    managerDescriptors: manager === null ? null : descriptors(manager),
    workersDescriptors: sum(workers.map(descriptors)),
    files: sum([sessions, accounts].map((directory) => ofProcess(() => readdirSync(directory).length))),
    sessions: ids.length,
    lent: status?.leases.lent ?? null,
    zombies: processes.length - living.length,
    doubled: lent.filter((address, index) => lent.indexOf(address) !== index),
    logins,
  };
}
