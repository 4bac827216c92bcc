/**
 * What test/lab/against-pptpd measures, as data: the rows of its table, in order, and what is to be reached. Its
 * scenario writes a line for each figure of each turn.
 */
import { type Row, rowsOf } from './report.js';
import type { ServerName } from './servers.js';
import type { Figure, Target, Titled } from './works.js';

/** A line of figures.jsonl. */
interface Measured {
  readonly figure: string;
  readonly server: Extract<ServerName, 'ours' | 'pptpd'>;
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

const ping = (id: string, title: string, target?: Target): Titled<Measured> => ({
  id,
  title,
  figures: [figureOf(id, 'average', 'ms', 1, target)],
});

const tcp = (id: string, title: string): Titled<Measured> => ({
  id,
  title,
  figures: [figureOf(`tcp-up-${id}`, 'up', 'Mbit/s', 1, AHEAD), figureOf(`tcp-down-${id}`, 'down', 'Mbit/s', 1, AHEAD)],
});

const TUNNEL_WORKS: readonly Titled<Measured>[] = [
  ping('ping', 'ping, no loss'),
  ping('ping-loss', 'ping, 10 % lost each way', HALF),
  ping('ping-loss-buffered', 'ping, 10 % lost each way, client that waits too', HALF),
  tcp('mppe', 'TCP, MPPE-128'),
  tcp('plain', 'TCP, no MPPE'),
];

/** The rows that figures.jsonl's text makes. */
export function tunnelRows(text: string): Row[] {
  const measured = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Measured => JSON.parse(line));
  const results = new Map(
    (['ours', 'pptpd'] as const).map((name) => [name, measured.filter((one) => one.server === name)]),
  );
  return TUNNEL_WORKS.flatMap((work) => rowsOf(work, results));
}
