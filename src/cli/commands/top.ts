/** `pptpd-ts top`: shows the current traffic of each session, redrawn on a terminal or printed once. */
import { setTimeout as wait } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { addRunDirectoryOptions, runDirectoryOf, type RunDirectoryOptions } from '../configuration.js';
import { isDeserted, type LiveSessions, liveSessions } from '../../admin/live-sessions.js';
import { reportMissingManager } from '../missing-manager.js';
import { bitRate, duration, localTime } from '../../admin/units.js';
import { bold } from '../output.js';
import { type Sample, type SessionRates, ratesBetween } from '../rates.js';
import { selected, type Selection } from '../../admin/selection.js';
import { addSelectionOptions } from '../selection.js';
import { stopSignal } from '../stop.js';
import { table } from '../table.js';

interface TopOptions extends RunDirectoryOptions, Selection {
  /** Seconds. */
  readonly interval: number;
  readonly once?: true;
  readonly json?: true;
}

const HEADINGS = ['ID', 'USER', 'CLIENT', 'TUNNEL', 'PHASE', 'FOR', 'RECEIVED', 'SENT', 'PKT/S', 'LOST', 'RTT'];
/** Lines above the sessions: the summary and the headings. */
const HEAD_LINES = 2;

/** ANSI sequences: alternate screen without a cursor, and back; go to the top left corner; erase to the end. */
const SCREEN = {
  enter: '\u001B[?1049h\u001B[?25l',
  leave: '\u001B[?25h\u001B[?1049l',
  home: '\u001B[H',
  endOfLine: '\u001B[K',
  endOfScreen: '\u001B[J',
} as const;
/** Keys that quit. A terminal in raw mode passes Ctrl-C as a key. */
const END_KEYS = ['q', 'Q', '\u0003'];

export const topCommand = (): Command =>
  addSelectionOptions(
    addRunDirectoryOptions(
      new Command('top').description('show the current traffic of each session, the busiest first'),
    ),
  )
    .option('--interval <seconds>', 'time between two samples, 0.1 to 3600', parseInterval, 2)
    .option('--once', 'print one table after one interval; the default without a terminal')
    .option('--json', 'print one JSON object after one interval; rates in bits and packets per second')
    .addHelpText(
      'after',
      `
Examples:
  pptpd-ts top
  pptpd-ts top --interval 0.5 --client 192.0.2.0/24
  pptpd-ts top --once --interval 10
  pptpd-ts top --json | jq '.sessions[] | select(.loss > 0.01) | .user'

RECEIVED is from the client, SENT is to the client. q or Ctrl-C quits.

Exit code 0: after q or Ctrl-C; 1: the run directory cannot be read; 3: there are no sessions, and no manager is running.`,
    )
    .action(async (_file: unknown, options: TopOptions) => {
      const look = sampler(runDirectoryOf(options), options);
      const first = await look();
      if (options.once || options.json || !process.stdout.isTTY) await printOnce(first, look, options);
      else if (isDeserted(first.live)) reportMissingManager(first.live);
      else await draw(first, look, options.interval);
    });

/** A sample of the selected sessions, and all live sessions. */
interface Look extends Sample {
  readonly live: LiveSessions;
}

const sampler = (runDirectory: string, selection: Selection) => async (): Promise<Look> => {
  const live = await liveSessions(runDirectory);
  return { live, sessions: selected(selection, live.sessions), at: performance.now() };
};

async function printOnce(first: Look, look: () => Promise<Look>, { interval, json }: TopOptions): Promise<void> {
  const deserted = isDeserted(first.live);
  if (!deserted) await wait(interval * 1000);
  const last = deserted ? first : await look();
  const sessions = ratesBetween(first, last);
  if (json) console.log(JSON.stringify({ interval, sessions }, null, 2));
  else if (!deserted) console.log(table(HEADINGS, sessions.map(row)));
  reportMissingManager(last.live);
}

async function draw(first: Look, look: () => Promise<Look>, interval: number): Promise<void> {
  const stop = AbortSignal.any([stopSignal(), endKey()]);
  process.stdout.write(SCREEN.enter);
  // Restore the terminal however the process ends.
  process.on('exit', () => {
    process.stdout.write(SCREEN.leave);
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
  });
  let before = first;
  while (!stop.aborted) {
    const after = await look();
    const lines = picture(ratesBetween(before, after), after.live, interval);
    process.stdout.write(
      `${SCREEN.home}${lines.map((line) => `${line}${SCREEN.endOfLine}`).join('\r\n')}${SCREEN.endOfScreen}`,
    );
    before = after;
    // A stop signal aborts the wait: that is no failure.
    await wait(interval * 1000, undefined, { signal: stop }).catch(() => undefined);
  }
  process.exit();
}

/** At most as many lines as the terminal has; the last one says how many sessions are not shown. */
function picture(sessions: readonly SessionRates[], { noManager }: LiveSessions, interval: number): string[] {
  const sum = (of: (session: SessionRates) => number): string =>
    bitRate(sessions.reduce((total, session) => total + of(session), 0));
  const summary = [
    localTime(Date.now()),
    ...(noManager === null ? [] : ['no manager is running']),
    `${sessions.length} sessions`,
    `received ${sum(({ rxBits }) => rxBits)}`,
    `sent ${sum(({ txBits }) => txBits)}`,
    `every ${interval} s, q quits`,
  ].join('  ');
  const room = Math.max(1, process.stdout.rows - HEAD_LINES - 1);
  const shown = sessions.slice(0, room);
  const rest = sessions.length - shown.length;
  return [
    bold(summary.slice(0, process.stdout.columns)),
    ...table(HEADINGS, shown.map(row)).split('\n'),
    ...(rest === 0 ? [] : [`and ${rest} more`]),
  ];
}

const row = (rates: SessionRates): string[] => [
  rates.session,
  rates.user ?? '-',
  rates.client,
  rates.address ?? '-',
  rates.phase,
  duration((Date.now() - rates.since) / 1000),
  bitRate(rates.rxBits),
  bitRate(rates.txBits),
  String(Math.round(rates.rxPackets + rates.txPackets)),
  rates.loss === null ? '-' : `${(rates.loss * 100).toFixed(1)} %`,
  rates.roundTrip === null ? '-' : `${rates.roundTrip.toFixed(1)} ms`,
];

function endKey(): AbortSignal {
  const controller = new AbortController();
  const { stdin } = process;
  if (!stdin.isTTY) return controller.signal;
  stdin.setRawMode(true);
  stdin.setEncoding('utf8').on('data', (keys: string) => {
    if (END_KEYS.some((key) => keys.includes(key))) controller.abort();
  });
  return controller.signal;
}

function parseInterval(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600)) throw new InvalidArgumentError('not a number of seconds from 0.1 to 3600');
  return seconds;
}
