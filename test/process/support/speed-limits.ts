/** What the kernel says of interfaces, their queues and routes, and whether it can limit speeds at all. */
import { spawnSync } from 'node:child_process';

/** What a command prints. */
export const shown = (...command: readonly [string, ...string[]]): string => {
  const [program, ...args] = command;
  return spawnSync(program, args, { encoding: 'utf8' }).stdout;
};

export const linkNames = (): string[] =>
  shown('ip', '-o', 'link', 'show', 'up')
    .split('\n')
    .flatMap((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? []);

export const queuesOf = (name: string): string => shown('tc', 'qdisc', 'show', 'dev', name);

/** What this kernel lacks to limit speeds; null: nothing. */
export function missingForSpeeds(): string | null {
  const trials = [
    ['ip', 'link', 'add', 'trial', 'type', 'ifb'],
    ['tc', 'qdisc', 'add', 'dev', 'trial', 'root', 'tbf', 'rate', '1mbit', 'burst', '4kb', 'latency', '50ms'],
    ['tc', 'qdisc', 'add', 'dev', 'trial', 'handle', 'ffff:', 'ingress'],
    'tc filter add dev trial parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev trial'.split(
      ' ',
    ),
    ['ip', 'link', 'del', 'trial'],
  ];
  const failed = trials.find(([program = '', ...args]) => spawnSync(program, args).status !== 0);
  return failed === undefined ? null : `this kernel cannot limit speeds: ${failed.join(' ')}`;
}
