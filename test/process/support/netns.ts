/**
 * A network namespace for a test file: the file runs itself again in a fresh one, where every address and port is
 * free, RFC 5737's addresses are local, and nothing reaches the machine's own network. The namespace has no name and
 * goes with its last process; whichever process is still in it was left behind by the test.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

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
  // The namespace ends with us, even when we are killed.
  const command = [
    '--pdeathsig',
    'KILL',
    'unshare',
    '--net',
    process.execPath,
    ...process.execArgv,
    ...process.argv.slice(1),
  ];
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

/** The processes of this namespace besides this one: zombies too, as far as they are our children or theirs. */
export function namespaceProcesses(): NamespaceProcess[] {
  const own = readlinkSync('/proc/self/ns/net');
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (inspect(Number(name), own) ?? []) : []));
  const inside = new Set([process.pid, ...all.filter(({ here }) => here).map(({ pid }) => pid)]);
  return all.filter(({ pid, parent, zombie, here }) => pid !== process.pid && (here || (zombie && inside.has(parent))));
}

/** A process by its id; a zombie has no namespace any more. Null when it has gone meanwhile. */
function inspect(pid: number, namespace: string): (NamespaceProcess & { readonly here: boolean }) | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const zombie = state === 'Z';
    const here = !zombie && readlinkSync(`/proc/${pid}/ns/net`) === namespace;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(parent), zombie, command, here };
  } catch {
    return null;
  }
}

function ip(...command: string[]): void {
  const { status, stderr, error } = spawnSync('ip', command, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`ip ${command.join(' ')}: ${stderr}`);
}
