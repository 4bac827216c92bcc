/** `pptpd-ts sessions`: lists live sessions by asking their workers, or ended ones from the accounting file. Needs no manager. */
import { Command, InvalidArgumentError } from 'commander';
import type { SessionState } from '../../session/state.js';
import { messageOf } from '../../sys/thrown.js';
import {
  addRunDirectoryOptions,
  configurationOf,
  EXIT,
  runDirectoryOf,
  type RunDirectoryOptions,
} from '../configuration.js';
import { endedSessions } from '../../admin/ended-sessions.js';
import { ENDED_HEADINGS, endedRow } from '../ended-sessions.js';
import { isDeserted, liveSessions } from '../../admin/live-sessions.js';
import { reportMissingManager } from '../missing-manager.js';
import { localTime, octets, pointInTime, speedText } from '../../admin/units.js';
import { selected, type Selection } from '../../admin/selection.js';
import { addSelectionOptions } from '../selection.js';
import { table } from '../table.js';

type Column = readonly [heading: string, cell: (state: SessionState) => string];

const COLUMNS: readonly Column[] = [
  ['ID', ({ session }) => session],
  ['USER', ({ user }) => user ?? '-'],
  ['CLIENT', ({ peer }) => peer.address],
  ['TUNNEL', ({ tunnel }) => tunnel.remote ?? '-'],
  ['PHASE', ({ phase }) => phase],
  ['SINCE', ({ since }) => localTime(since)],
  ['RECEIVED', ({ counters }) => octets(counters?.['rxBytes'] ?? 0)],
  ['SENT', ({ counters }) => octets(counters?.['txBytes'] ?? 0)],
];
/** Shown if a session has one. */
const SPEED: Column = ['SPEED LIMIT', ({ speed }) => speedText(speed) ?? '-'];

/** The live sessions as a table. */
export function sessionsTable(sessions: readonly SessionState[]): string {
  const columns = sessions.some(({ speed }) => speed !== null) ? [...COLUMNS, SPEED] : COLUMNS;
  return table(
    columns.map(([heading]) => heading),
    sessions.map((state) => columns.map(([, cell]) => cell(state))),
  );
}

interface SessionsOptions extends RunDirectoryOptions, Selection {
  readonly json?: true;
  readonly ended?: true;
  readonly since?: number;
}

export const sessionsCommand = (): Command =>
  addSelectionOptions(
    addRunDirectoryOptions(new Command('sessions').description('list the live sessions, or the ended ones')),
  )
    .option('--ended', 'list the ended sessions in the accounting file, the newest last')
    .option(
      '--since <time>',
      'with --ended: only sessions that ended since then: 2h, 7d, 2026-11-23, 2026-11-23T10:00',
      parseSince,
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  pptpd-ts sessions\n  pptpd-ts sessions --run-directory /run/pptpd-ts\n  pptpd-ts sessions --client 192.0.2.0/24\n  pptpd-ts sessions --json | jq -r .sessions[].user\n  pptpd-ts sessions --ended --since 24h --user alice\n\nExit code 0: also if there are no sessions; 1: a session does not answer, or the run directory or the accounting file\ncannot be read; 3: there are no sessions, and no manager is running.',
    )
    .action(async (_file: unknown, options: SessionsOptions, command: Command) => {
      if (options.since !== undefined && !options.ended) command.error('error: --since needs --ended');
      if (options.ended) await printEnded(options);
      else await printLive(options);
    });

async function printLive(options: SessionsOptions): Promise<void> {
  const live = await liveSessions(runDirectoryOf(options));
  const { unreachable } = live;
  const shown = selected(options, live.sessions);
  if (options.json) console.log(JSON.stringify({ sessions: shown, unreachable }, null, 2));
  else if (!isDeserted(live)) console.log(sessionsTable(shown));
  for (const { why } of unreachable) console.error(`pptpd-ts: ${why}`);
  if (unreachable.length > 0) process.exitCode = EXIT.failed;
  reportMissingManager(live);
}

async function printEnded(options: SessionsOptions): Promise<void> {
  const { accounting } = configurationOf(options.config);
  if (accounting === undefined) {
    console.error(`pptpd-ts: ${options.config} has no "accounting" section: ended sessions are not recorded`);
    process.exitCode = EXIT.failed;
    return;
  }
  try {
    const sessions = await endedSessions(accounting.file, options);
    console.log(options.json ? JSON.stringify({ sessions }, null, 2) : table(ENDED_HEADINGS, sessions.map(endedRow)));
  } catch (error) {
    console.error(`pptpd-ts: ${accounting.file}: ${messageOf(error)}`);
    process.exitCode = EXIT.failed;
  }
}

function parseSince(text: string): number {
  const time = pointInTime(text, Date.now());
  if (time === null) throw new InvalidArgumentError('not a time: write 90min, 12h, 7d, 2026-11-23 or 2026-11-23T10:00');
  return time;
}
