/**
 * The works that servers are compared on, in the table's order, as data: what the generator is told to do, and which
 * figures come of it with what is to be reached.
 */
import type { HandshakesResult, LoadResult, SliceKey, SlicesResult, StormResult } from './load.js';
import type { ServerName } from './servers.js';

/** What a target is about: the ratio ours/pptpd, one server's figure, or another ratio. */
export type Measure = 'ratio' | 'ours' | 'builtin' | 'builtin/ours' | 'builtin/pptpd' | 'kernel/ours' | 'kernel/pptpd';

export type Target =
  | { readonly of: Measure; readonly atLeast: number }
  | { readonly of: Measure; readonly atMost: number };

export interface Figure<Result = LoadResult> {
  readonly title: string;
  readonly unit: string;
  readonly digits: number;
  readonly target?: Target;
  /** Null: the result does not say, for too little of it is good. */
  from(result: Result): number | null;
}

/** What a work is to a table: its rows. */
export interface Titled<Result = LoadResult> {
  readonly id: string;
  readonly title: string;
  readonly figures: readonly Figure<Result>[];
}

export interface Work extends Titled {
  /** The generator's options. */
  readonly options: readonly string[];
  /** Runs of a length of its own, not the one asked for. */
  readonly seconds?: number;
  /** The server may use every core: the work is to start processes, not to relay. */
  readonly everyCore?: boolean;
  readonly servers: readonly ServerName[];
  /** What our worker allocates between the first slice and the last is sampled (sampler.ts). */
  readonly sampled?: boolean;
}

/** Figures that tables know by name. */
export const PACKETS_PER_SECOND = 'packets/s';
const CPU_PER_PACKET = 'CPU per packet';

/** Fewer good slices than this are not worth a figure: then the quietest ones are taken. */
const FEWEST_SLICES = 3;

const isSlices = (result: LoadResult): result is SlicesResult => 'slices' in result;
const isHandshakes = (result: LoadResult): result is HandshakesResult => 'seconds' in result;
const isStorm = (result: LoadResult): result is StormResult => 'servedAt' in result;

/** Sums over the good slices; null when there is no slice. */
function sums(result: LoadResult): ((key: SliceKey) => number) | null {
  if (!isSlices(result)) return null;
  const quiet = result.slices.filter(({ good }) => good);
  const used =
    quiet.length >= FEWEST_SLICES
      ? quiet
      : result.slices
          .toSorted((a, b) => a.stolen + a.foreign - b.stolen - b.foreign)
          .slice(0, Math.max(FEWEST_SLICES, result.slices.length >> 2));
  if (used.length === 0) return null;
  return (key) => used.reduce((sum, slice) => sum + slice[key], 0);
}

const perSecond = (target?: Target): Figure => ({
  title: PACKETS_PER_SECOND,
  unit: '/s',
  digits: 0,
  ...(target === undefined ? {} : { target }),
  from(result) {
    const sum = sums(result);
    return sum === null ? null : (sum('packets') * 1e9) / sum('ns');
  },
});

const cpuPerPacket = (target?: Target): Figure => ({
  title: CPU_PER_PACKET,
  unit: 'µs',
  digits: 2,
  ...(target === undefined ? {} : { target }),
  from(result) {
    const sum = sums(result);
    const packets = sum?.('packets') ?? 0;
    return sum === null || packets === 0 ? null : sum('cpu') / 1000 / packets;
  },
});

const idleWakeUps: Figure = {
  title: 'wake-ups of the idle workers, per packet',
  unit: '',
  digits: 3,
  target: { of: 'ours', atMost: 0.01 },
  from(result) {
    const sum = sums(result);
    const packets = sum?.('packets') ?? 0;
    return sum === null || packets === 0 ? null : sum('idleRuns') / packets;
  },
};

const idleCpu: Figure = {
  title: 'CPU of the idle workers',
  unit: '% of a core',
  digits: 1,
  from(result) {
    const sum = sums(result);
    return sum === null ? null : (100 * sum('idleCpu')) / sum('ns');
  },
};

const idleMemory = (target: Target): Figure => ({
  title: 'memory of an idle worker (PSS)',
  unit: 'MiB',
  digits: 2,
  target,
  from: (result) => (isSlices(result) && result.idleMemory > 0 ? result.idleMemory / 1024 : null),
});

const memoryGrowth: Figure = {
  title: 'growth of resident memory after the first tenth',
  unit: '%',
  digits: 1,
  target: { of: 'ours', atMost: 5 },
  from(result) {
    if (!isSlices(result)) return null;
    const early = result.slices[Math.floor(result.slices.length / 10)]?.resident;
    const late = result.slices.at(-1)?.resident;
    return early === undefined || late === undefined || early === 0 ? null : 100 * (late / early - 1);
  },
};

/** The smallest object has 16 octets: with less than half of them a packet makes none, wake-ups do. */
const allocated: Figure = {
  title: 'allocated on the heap, per packet',
  unit: 'octets',
  digits: 2,
  target: { of: 'ours', atMost: 8 },
  from(result) {
    if (!isSlices(result) || result.allocated === undefined) return null;
    return result.allocated / result.slices.reduce((sum, { packets }) => sum + packets, 0);
  },
};

/** The value that `part` of a sorted list does not exceed. */
const percentile = (sorted: readonly number[], part: number): number | null =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? null;

const LATENCIES = {
  start: 'start request to reply',
  call: 'call request to reply',
  frame: "call request to pppd's first frame at the client",
} as const;

const latencies = (): Figure[] =>
  (Object.keys(LATENCIES) as (keyof typeof LATENCIES)[]).flatMap((key) =>
    [0.5, 0.99].map((part) => ({
      title: `${LATENCIES[key]}, p${part * 100}`,
      unit: 'ms',
      digits: 2,
      target: { of: 'ratio', atMost: 1.5 },
      from(result) {
        const time = isHandshakes(result) ? percentile(result[key], part) : null;
        return time === null ? null : time / 1000;
      },
    })),
  );

const relayWork = (
  id: string,
  title: string,
  options: readonly string[],
  ratio: number,
  cpu: number | undefined,
): Work => ({
  id,
  title,
  options,
  servers: ['ours', 'pptpd', 'floor'],
  figures: [
    perSecond({ of: 'ratio', atLeast: ratio }),
    cpuPerPacket(cpu === undefined ? undefined : { of: 'ratio', atMost: cpu }),
  ],
});

const echo = (size: number, window = 32): readonly string[] => [
  '--work',
  'echo',
  '--size',
  String(size),
  '--window',
  String(window),
];

const ceiling = (size: number): Work => ({
  id: `ceiling${size}`,
  title: `the generator alone, ${size} B, to a call that nobody has`,
  options: ['--work', 'ceiling', '--size', String(size)],
  servers: ['floor'],
  figures: [perSecond()],
});

const besideIdle = (count: number, ratio: number): Work => ({
  id: `nat${count}`,
  title: `echo 64 B beside ${count} idle sessions of the same address`,
  options: [...echo(64), '--idle', String(count), '--same'],
  servers: ['ours', 'pptpd', 'floor'],
  figures: [perSecond({ of: 'ratio', atLeast: ratio }), cpuPerPacket(), idleWakeUps, idleCpu],
});

const besideOthers = (count: number): Work => ({
  id: `idle${count}`,
  title: `echo 64 B beside ${count} idle sessions, one of them of its own address`,
  options: [...echo(64), '--idle', String(count)],
  servers: ['ours', 'pptpd', 'floor'],
  figures: [perSecond(), cpuPerPacket()],
});

/**
 * Whole tunnels of the builtin engine, with MPPE-128 and forwarding, beside the relay of `ours` alone, whose MPPE and
 * forwarding is the kernel's: pppd's stand-in has neither.
 */
const builtinWork = (id: string, title: string, options: readonly string[], atMost: number): Work => ({
  id: `builtin-${id}`,
  title: `builtin engine with MPPE-128 and forwarding, beside the relay alone: ${title}`,
  options,
  servers: ['builtin', 'ours'],
  figures: [perSecond(), cpuPerPacket({ of: 'builtin/ours', atMost })],
});

export const WORKS: readonly Work[] = [
  relayWork('echo64', 'echo, 64 B', echo(64), 2, 0.6),
  relayWork('echo400', 'echo, 400 B', echo(400), 2, 0.6),
  relayWork('echo1400', 'echo, 1400 B', echo(1400), 2, 0.8),
  relayWork('downlink64', 'downlink (pppd to client), 64 B', ['--work', 'downlink', '--size', '64'], 1.3, 0.6),
  relayWork('downlink1400', 'downlink (pppd to client), 1400 B', ['--work', 'downlink', '--size', '1400'], 1.1, 0.8),
  relayWork('uplink64', 'uplink (client to pppd), 64 B, no loss', uplink(64, 128), 2, 0.6),
  relayWork('uplink1400', 'uplink (client to pppd), 1400 B, no loss', uplink(1400, 64), 1.5, 0.8),
  relayWork('window64', 'uplink that keeps to its window of 64, 64 B', windowed(64), 20, undefined),
  relayWork('window1400', 'uplink that keeps to its window of 64, 1400 B', windowed(1400), 20, undefined),
  besideIdle(20, 4),
  besideIdle(50, 8),
  besideOthers(20),
  besideOthers(100),
  {
    id: 'latency',
    title: 'a client now and then',
    options: ['--work', 'handshakes', '--count', '200', '--pause', '100'],
    servers: ['ours', 'pptpd', 'floor'],
    figures: latencies(),
  },
  {
    id: 'handshakes',
    title: '200 clients, one after the other',
    options: ['--work', 'handshakes', '--count', '200'],
    everyCore: true,
    servers: ['ours', 'pptpd'],
    figures: [
      {
        title: 'handshakes/s',
        unit: '/s',
        digits: 1,
        target: { of: 'ours', atLeast: 25 },
        from: (result) => (isHandshakes(result) ? result.served / result.seconds : null),
      },
    ],
  },
  {
    id: 'storm',
    title: '200 clients at once',
    options: ['--work', 'storm', '--count', '200'],
    seconds: 35,
    everyCore: true,
    servers: ['ours', 'pptpd'],
    figures: [
      {
        title: 'served within 35 s',
        unit: '',
        digits: 0,
        target: { of: 'ours', atLeast: 200 },
        from: (result) => (isStorm(result) ? result.served : null),
      },
      {
        title: 'the last one after',
        unit: 's',
        digits: 2,
        target: { of: 'ours', atMost: 30 },
        from: (result) => (isStorm(result) ? (result.servedAt.at(-1) ?? 0) / 1e6 : null),
      },
      {
        title: 'slowest echo reply to a session that was there',
        unit: 'ms',
        digits: 1,
        target: { of: 'ours', atMost: 1000 },
        from: (result) => (isStorm(result) ? result.worstEcho / 1000 : null),
      },
    ],
  },
  {
    id: 'memory',
    title: '50 idle sessions',
    options: ['--work', 'none', '--idle', '50'],
    servers: ['ours', 'pptpd'],
    figures: [idleMemory({ of: 'ours', atMost: 14 })],
  },
  {
    id: 'long',
    title: 'a session of 10,000,000 packets (echo, 64 B)',
    options: [...echo(64, 128), '--packets', '10000000'],
    seconds: 400,
    servers: ['ours'],
    sampled: true,
    figures: [memoryGrowth, allocated],
  },
  builtinWork('echo64', 'echo, 64 B', echo(64), 2.36),
  builtinWork('downlink1400', 'downlink, 1400 B', ['--work', 'downlink', '--size', '1400', '--window', '96'], 0.85),
  builtinWork('uplink1400', 'uplink, 1400 B', uplink(1400, 64), 0.95),
  {
    id: 'builtin-allocated',
    title: 'builtin engine: echo, 64 B',
    options: echo(64, 64),
    seconds: 10,
    servers: ['builtin'],
    sampled: true,
    figures: [{ ...allocated, target: { of: 'builtin', atMost: 8 } }],
  },
  {
    id: 'builtin-memory',
    title: '50 idle sessions of the builtin engine',
    options: ['--work', 'none', '--idle', '50'],
    servers: ['builtin', 'ours'],
    figures: [idleMemory({ of: 'builtin', atMost: 12 })],
  },
  ceiling(64),
  ceiling(1400),
];

function uplink(size: number, window: number): readonly string[] {
  return ['--work', 'uplink', '--size', String(size), '--window', String(window)];
}

function windowed(size: number): readonly string[] {
  return ['--work', 'window', '--size', String(size), '--window', '64'];
}
