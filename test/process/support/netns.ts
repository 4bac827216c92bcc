/**
 * Namespaces for a test file: the file runs itself again in a fresh network, where every address and port is free,
 * RFC 5737's addresses are local and nothing reaches the machine's own; and among no processes but its own, so that one
 * that was left behind shows, and ends with the test even when that is killed. They have no names and go by themselves.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { until } from './wait.js';

const INSIDE = 'PPTPD_TS_TEST_NAMESPACE';

/**
 * Call it before the first test: outside it runs the file again in a new namespace and exits with its code, inside it
 * brings `lo` up and gives it `addresses` (dotted quads). The test runner's protocol goes through unharmed.
 */
export function enterNamespace(...addresses: readonly string[]): void {
  if (process.env[INSIDE] !== undefined) {
    delete process.env[INSIDE];
    for (const address of addresses) ip('address', 'add', `${address}/32`, 'dev', 'lo');
    ip('link', 'set', 'lo', 'up');
    return;
  }
  const namespaces = ['unshare', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  // The first process of a process namespace has to wait for orphans: the shell does, Node does not.
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
  /** Ended, and waited for by nobody. */
  readonly zombie: boolean;
  readonly command: string;
}

/** The processes of this namespace besides this one and the shell that waits for it; zombies too. */
export function namespaceProcesses(): NamespaceProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).flatMap((pid) => (pid === process.pid || pid === process.ppid ? [] : (inspect(pid) ?? [])));
}

/** Those of them that `parent` has started; zombies too. */
export const childrenOf = (parent: number | undefined): NamespaceProcess[] =>
  namespaceProcesses().filter((each) => each.parent === parent);

/** Kills them; resolves when each was waited for. */
export async function killChildrenOf(parent: number | undefined): Promise<void> {
  for (const { pid } of childrenOf(parent)) process.kill(pid, 'SIGKILL');
  await until(`the children of ${parent} to be gone`, () => childrenOf(parent).length === 0);
}

/** Null when it has gone meanwhile. */
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

function ip(...command: string[]): void {
  const { status, stderr, error } = spawnSync('ip', command, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`ip ${command.join(' ')}: ${stderr}`);
}
