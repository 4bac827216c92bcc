/**
 * What test/lab/against-pptpd measures, as data: the rows of its table, in order, and what is to be reached. Its
 * scenario writes a line for each figure of each turn.
 */
import { type Row, rowsOf } from './report.js';
import type { ServerName } from './servers.js';
import type { Figure, Target, Titled } from './works.js';

type LabServer = Extract<ServerName, 'builtin' | 'ours' | 'pptpd'>;

/** A line of figures.jsonl. */
interface Measured {
  readonly figure: string;
  readonly server: LabServer;
  readonly value: number;
}

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

const builtinTcp = (id: string, title: string, ofPty: number, ofPptpd: number): TunnelWork =>
  builtin(
    id,
    title,
    (['up', 'down'] as const).flatMap((direction) => [
      figureOf(`tcp-${direction}-${id}`, direction, 'Mbit/s', 1, { of: 'builtin/ours', atLeast: ofPty }),
      figureOf(`tcp-${direction}-${id}`, `${direction}, beside pptpd`, 'Mbit/s', 1, {
        of: 'builtin/pptpd',
        atLeast: ofPptpd,
      }),
    ]),
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
  builtin('ping', 'ping, no loss', [figureOf('ping', 'average', 'ms', 1, { of: 'builtin/pptpd', atMost: 1 })]),
  builtin('ping-loss', 'ping, 10 % lost each way', [
    figureOf('ping-loss', 'average', 'ms', 1, { of: 'builtin/pptpd', atMost: 0.5 }),
  ]),
  builtin('ping-loss-buffered', 'ping, 10 % lost each way, client that waits too', [
    figureOf('ping-loss-buffered', 'average', 'ms', 1, { of: 'builtin/pptpd', atMost: 0.5 }),
  ]),
  builtinTcp('mppe', 'TCP, MPPE-128', 2, 4),
  builtinTcp('plain', 'TCP, no MPPE', 1, 1),
];

/** The rows that figures.jsonl's text makes. */
export function tunnelRows(text: string): Row[] {
  const measured = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Measured => JSON.parse(line));
  return TUNNEL_WORKS.flatMap((work) =>
    rowsOf(work, new Map(work.servers.map((name) => [name, measured.filter((one) => one.server === name)]))),
  );
}
