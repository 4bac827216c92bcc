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
  /** Of a rate in Mbit/s: how long it was kept, and when that began and was over at the latest; s. */
  readonly seconds?: number;
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
    const { figure, server, value, seconds, from, to } = one;
    if (seconds === undefined || from === undefined || to === undefined) return [one];
    const used = usedBetween(samples, from, to);
    return used === null
      ? [one]
      : [one, { figure: `time-${figure}`, server, value: (used * 1000) / (value * seconds) }];
  });

/** The rows that the scenario's figures make. */
export function tunnelRows(measured: readonly Measured[]): Row[] {
  return TUNNEL_WORKS.flatMap((work) =>
    rowsOf(work, new Map(work.servers.map((name) => [name, measured.filter((one) => one.server === name)]))),
  );
}
