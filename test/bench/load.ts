/** Runs the load generator, and says what it has counted. What the generator prints is declared here. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Network } from './network.js';
import { build } from './programs.js';
import { LOAD_CORE } from './servers.js';

/** A tenth of a second; times in ns, `stolen` and `foreign` in ms. */
interface Slice {
  readonly ns: number;
  /** Little enough was stolen, and used by processes that do not take part. */
  readonly good: boolean;
  readonly stolen: number;
  readonly foreign: number;
  readonly packets: number;
  readonly wrong: number;
  readonly lost: number;
  readonly sent: number;
  /** The relay's processor time, time it waited for a processor, times it ran. */
  readonly cpu: number;
  readonly delay: number;
  readonly runs: number;
  readonly idleCpu: number;
  readonly idleRuns: number;
  readonly generator: number;
  /** Resident memory of the relay at the end, KiB. */
  readonly resident: number;
}

/** The figures of a slice. */
export type SliceKey = Exclude<keyof Slice, 'good'>;

export interface SlicesResult {
  /** Proportional set size of an idle session's worker, KiB; 0 without idle sessions. */
  readonly idleMemory: number;
  readonly slices: readonly Slice[];
  /** Octets that our worker has allocated on the heap during the slices, where that was sampled. */
  readonly allocated?: number;
  /** The first wrong packets in words, where the generator tells them, also those before the slices. */
  readonly wrongPackets?: readonly string[];
}

/** Times in µs, shortest first. */
export interface HandshakesResult {
  readonly served: number;
  readonly seconds: number;
  readonly start: readonly number[];
  readonly call: readonly number[];
  /** From the call's request to pppd's first frame; none where clients do not wait for it. */
  readonly frame: readonly number[];
}

export interface StormResult {
  readonly served: number;
  readonly refused: number;
  readonly worstEcho: number;
  readonly servedAt: readonly number[];
}

export type LoadResult = SlicesResult | HandshakesResult | StormResult;

const BUILTIN_LOAD = fileURLToPath(new URL('builtin/main.js', import.meta.url));
const MAX_OUTPUT = 16 * 1024 * 1024;
const TIMEOUT = 600_000;

/** Runs load.c to its end. Rejects with what it says on standard error. */
export async function runLoad(network: Network, shared: string, options: readonly string[]): Promise<LoadResult> {
  const { server, clients } = network;
  const places = ['--server', server, '--clients', clients, '--shared', shared, '--core', String(LOAD_CORE)];
  return resultOf(build('load'), [...places, ...options]);
}

/** The same for the builtin engine, whose client has to log in and to encrypt (builtin/main). */
export async function runBuiltinLoad(
  { server, clients }: Network,
  runDirectory: string,
  options: readonly string[],
): Promise<LoadResult> {
  return resultOf(
    'nsenter',
    [`--net=/run/netns/${clients}`, 'taskset', '-c', String(LOAD_CORE), process.execPath, BUILTIN_LOAD].concat(
      ['--server', server, '--clients', clients, '--run', runDirectory],
      options,
    ),
  );
}

async function resultOf(command: string, options: readonly string[]): Promise<LoadResult> {
  const { stdout } = await promisify(execFile)(command, options, { maxBuffer: MAX_OUTPUT, timeout: TIMEOUT });
  const result: LoadResult = JSON.parse(stdout);
  return result;
}
