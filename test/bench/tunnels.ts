/**
 * What test/lab/against-pptpd measures, as data: the rows of its table, in order, and what is to be reached. Its
 * scenario writes a line for each figure of each turn.
 */
import { type Sample, usedBetween } from './guest-processor.js';
import { type Column, type Row, rowsOf } from './report.js';
import type { Figure, Target, Titled } from './works.js';

type LabServer = Exclude<Column, 'floor'>;

/** A line of figures.jsonl. */
export interface Measured {
  readonly figure: string;
  readonly server: LabServer;
  readonly value: number;
  /** Of a rate in Mbit/s: from when to when it was measured; seconds since the epoch. */
  readonly from?: number;
  readonly to?: number;
}

const DIRECTIONS = ['up', 'down'] as const;
const AHEAD: Target = { of: 'ratio', atLeast: 1 };
const HALF: Target = { of: 'ratio', atMost: 0.5 };

const figureOf = (id: string, title: string, unit: string, digits: number, target?: Target): Figure<Measured> => ({
  title,
  unit,
  digits,
  ...(target === undefined ? {} : { target }),
  from: ({ figure, value }) => (figure === id ? value : null),
});

interface TunnelWork extends Titled<Measured> {
  readonly servers: readonly LabServer[];
}

/** Of the server with pppd on a pty. */
const PTY = ['ours', 'pptpd'] as const;
const BUILTIN = ['builtin', 'ours', 'pptpd'] as const;
const EVERY = ['kernel', ...BUILTIN, 'base', 'peer'] as const;

const ping = (id: string, title: string, target?: Target): TunnelWork => ({
  id,
  title,
  servers: PTY,
  figures: [figureOf(id, 'average', 'ms', 1, target)],
});

const tcp = (id: string, title: string): TunnelWork => ({
  id,
  title,
  servers: PTY,
  figures: [figureOf(`tcp-up-${id}`, 'up', 'Mbit/s', 1, AHEAD), figureOf(`tcp-down-${id}`, 'down', 'Mbit/s', 1, AHEAD)],
});

/** Rows of the builtin engine beside both others. */
const builtin = (id: string, title: string, figures: TunnelWork['figures']): TunnelWork => ({
  id: `builtin-${id}`,
  title: `builtin engine: ${title}`,
  servers: BUILTIN,
  figures,
});

/** With pptp-linux, which takes most of the processor that all share: no row says what a server could carry. */
const builtinTcp = (id: string, title: string): TunnelWork =>
  builtin(
    id,
    title,
    DIRECTIONS.map((direction) =>
      figureOf(`tcp-${direction}-${id}`, direction, 'Mbit/s', 1, { of: 'builtin/ours', atLeast: 1 }),
    ),
  );

/** With a client whose data stays in the kernel. */
const FAST: TunnelWork = {
  id: 'fast',
  title: 'TCP, MPPE-128, client in the kernel',
  servers: EVERY,
  figures: DIRECTIONS.flatMap((direction) => {
    const of = (title: string, target: Target): Figure<Measured> =>
      figureOf(`tcp-${direction}-fast`, title, 'Mbit/s', 1, target);
    return [
      of(direction, { of: 'builtin/ours', atLeast: 2 }),
      of(`${direction}, beside pptpd`, { of: 'builtin/pptpd', atLeast: 4 }),
      of(`${direction}, in the kernel`, { of: 'kernel/ours', atLeast: 4.5 }),
    ];
  }),
};

/** Of everything in the guest, for one gigabit. */
const FAST_TIME: TunnelWork = {
  id: 'time-fast',
  title: 'processor time, client in the kernel',
  servers: EVERY,
  figures: DIRECTIONS.map((direction) => figureOf(`time-tcp-${direction}-fast`, `${direction}, 1 Gbit`, 's', 2)),
};

/** A client that only sends, without MPPE, and keeps to its window: how often each server acknowledges. */
const WINDOWS: readonly TunnelWork[] = [3, 64].flatMap((window) =>
  [64, 1400].map((octets) => ({
    id: `window-${window}-${octets}`,
    title: `uplink that keeps to a window of ${window}, ${octets} B`,
    servers: EVERY,
    figures: [figureOf(`window-${window}-${octets}`, 'packets/s', '/s', 0, { of: 'kernel/pptpd', atLeast: 20 })],
  })),
);

const TUNNEL_WORKS: readonly TunnelWork[] = [
  ping('ping', 'ping, no loss'),
  ping('ping-loss', 'ping, 10 % lost each way', HALF),
  ping('ping-loss-buffered', 'ping, 10 % lost each way, client that waits too', HALF),
  tcp('mppe', 'TCP, MPPE-128'),
  tcp('plain', 'TCP, no MPPE'),
  builtin('login', 'login', [
    figureOf('login', "start request to first ping, without the client's pause", 'ms', 0, {
      of: 'builtin/ours',
      atMost: 0.5,
    }),
  ]),
  builtin('login-server', "login, the server's part", [
    figureOf('login-server', 'start request to first ping, without the client', 'ms', 0, {
      of: 'builtin/ours',
      atMost: 0.5,
    }),
  ]),
  builtin('ping', 'ping, no loss', [figureOf('ping', 'average', 'ms', 1, { of: 'builtin/pptpd', atMost: 1 })]),
  builtin('ping-loss', 'ping, 10 % lost each way', [
    figureOf('ping-loss', 'average', 'ms', 1, { of: 'builtin/pptpd', atMost: 0.5 }),
  ]),
  builtin('ping-loss-buffered', 'ping, 10 % lost each way, client that waits too', [
    figureOf('ping-loss-buffered', 'average', 'ms', 1, { of: 'builtin/pptpd', atMost: 0.5 }),
  ]),
  builtinTcp('mppe', 'TCP, MPPE-128'),
  builtinTcp('plain', 'TCP, no MPPE'),
  FAST,
  FAST_TIME,
  ...WINDOWS,
];

/** The lines of figures.jsonl. */
export const readMeasured = (text: string): Measured[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Measured => JSON.parse(line));

/** With a figure time-NAME for each rate NAME: seconds of processor time for each Gbit. */
export const withProcessorTime = (measured: readonly Measured[], samples: readonly Sample[]): Measured[] =>
  measured.flatMap((one) => {
    const { figure, server, value, from, to } = one;
    if (from === undefined || to === undefined) return [one];
    // Programs start and end at the edges.
    const edge = (to - from) / 5;
    const used = usedBetween(samples, from + edge, to - edge);
    if (used === null) return [one];
    return [one, { figure: `time-${figure}`, server, value: (used * 1000) / (value * 3 * edge) }];
  });

/** The rows that the scenario's figures make. */
export function tunnelRows(measured: readonly Measured[]): Row[] {
  return TUNNEL_WORKS.flatMap((work) =>
    rowsOf(work, new Map(work.servers.map((name) => [name, measured.filter((one) => one.server === name)]))),
  );
}
