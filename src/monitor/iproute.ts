/** Runs the programs of iproute2 for what ioctls cannot do. */
import { execFile } from 'node:child_process';
import { programPath } from '../host/program-path.js';

const TIMEOUT_MS = 5000;
/** Not the monitor's own PATH. */
const PATH = programPath(undefined);

/** A call of a program. */
export interface Step {
  readonly program: 'ip' | 'tc';
  readonly args: readonly string[];
}

export const tc = (...args: readonly string[]): Step => ({ program: 'tc', args });
export const ip = (...args: readonly string[]): Step => ({ program: 'ip', args });

export interface Route {
  /** `198.51.100.0/24`, without host bits. */
  readonly network: string;
  /** null: the kernel's default, 0. */
  readonly metric: number | null;
}

/** Without its name a route of an interface in a VRF would be in the main table, for everybody. `vrf`: null: none. */
export const addRoute = ({ network, metric }: Route, device: string, vrf: string | null): Step =>
  ip(
    'route',
    'add',
    network,
    'dev',
    device,
    ...(metric === null ? [] : ['metric', String(metric)]),
    ...(vrf === null ? [] : ['vrf', vrf]),
  );

/** Takes the steps in their order. Rejects with a sentence at the first one that fails. */
export async function take(steps: readonly Step[]): Promise<void> {
  for (const step of steps) await run(step);
}

async function run({ program, args }: Step): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: TIMEOUT_MS, env: { PATH } }, (error, _, words) => {
      if (error === null) resolve();
      else if (error.code === 'ENOENT')
        reject(new Error(`${program} is not installed. Install it: apt-get install iproute2.`));
      else reject(new Error(`${program} ${args.join(' ')}: ${words.trim().replaceAll('\n', ' ') || error.message}`));
    });
  });
}
