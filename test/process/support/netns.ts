/**
 * Namespaces for a test file: the file runs itself again in a new network namespace, in which all addresses and ports
 * are free, RFC 5737's addresses are local, and nothing reaches the machine's network; and in a new process namespace,
 * which reveals leftover processes and ends them with the test, even if it is killed. They have no names and disappear
 * by themselves.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { endWithLastTest } from './at-end.js';
import { until } from './wait.js';

const INSIDE = 'PPTPD_TS_TEST_NAMESPACE';

/**
 * Call it before the first test. Outside, it runs the file again in new namespaces and exits with its code; inside, it
 * brings `lo` up, adds `addresses` (dotted quads) and makes a test file end with its last test. The test runner's
 * protocol passes through.
 */
export function enterNamespace(...addresses: readonly string[]): void {
  if (process.env[INSIDE] !== undefined) {
    delete process.env[INSIDE];
    for (const address of addresses) ip('address', 'add', `${address}/32`, 'dev', 'lo');
    ip('link', 'set', 'lo', 'up');
    // The other programs that enter a namespace have no tests.
    if (process.argv[1]?.endsWith('.test.js') === true) endWithLastTest();
    return;
  }
  const namespaces = ['unshare', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  // The first process of a process namespace must reap orphans; the shell does, Node does not.
  const first = ['sh', '-c', '"$@"; exit $?', 'sh'];
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const command = ['--pdeathsig', 'KILL', ...namespaces, ...first, ...again];
  const { status, signal, error } = spawnSync('setpriv', command, {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: 'yes' },
  });
  if (error !== undefined) throw error;
  if (signal !== null) console.error(`${process.argv[1]}: ended by ${signal}`);
  process.exit(status ?? 1);
}

export interface NamespaceProcess {
  readonly pid: number;
  readonly parent: number;
  /** The process has ended but was not reaped. */
  readonly zombie: boolean;
  readonly command: string;
}

/** The processes of this namespace except this one and the shell that waits for it; includes zombies. */
export function namespaceProcesses(): NamespaceProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).flatMap((pid) => (pid === process.pid || pid === process.ppid ? [] : (inspect(pid) ?? [])));
}

/** Those of them that are children of `parent`; includes zombies. */
export const childrenOf = (parent: number | undefined): NamespaceProcess[] =>
  namespaceProcesses().filter((each) => each.parent === parent);

/** Kills these processes, some of which may have ended meanwhile. */
function killAll(processes: readonly NamespaceProcess[]): void {
  for (const { pid, zombie } of processes) {
    try {
      if (!zombie) process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Kills every process of this namespace but this one; resolves when none is left, including those that were just starting. */
export async function killNamespace(): Promise<void> {
  await until('the processes of the namespace to be gone', () => {
    const left = namespaceProcesses();
    killAll(left);
    return left.length === 0;
  });
}

/** Kills the children of `parent`; resolves when all were reaped. */
export async function killChildrenOf(parent: number | undefined): Promise<void> {
  killAll(childrenOf(parent));
  await until(`the children of ${parent} to be gone`, () => childrenOf(parent).length === 0);
}

/** null if the process has ended meanwhile. */
function inspect(pid: number): NamespaceProcess | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(parent), zombie: state === 'Z', command };
  } catch {
    return null;
  }
}

/** Runs ip(8). */
export function ip(...command: string[]): void {
  const { status, stderr, error } = spawnSync('ip', command, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`ip ${command.join(' ')}: ${stderr}`);
}
