/** `pptpd-ts sessions`: who is on. Asks the workers themselves; needs no manager. */
import { Command } from 'commander';
import { listSessions } from '../../session/client.js';
import type { SessionState } from '../../session/state.js';
import { addRunDirectoryOptions, runDirectoryOf, type RunDirectoryOptions } from '../configuration.js';
import { localTime, octets } from '../output.js';
import { table } from '../table.js';

const HEADINGS = ['ID', 'USER', 'CLIENT', 'TUNNEL', 'PHASE', 'SINCE', 'RECEIVED', 'SENT'];

const row = ({ session, user, peer, tunnel, phase, since, counters }: SessionState): string[] => [
  session,
  user ?? '-',
  peer.address,
  tunnel.remote ?? '-',
  phase,
  localTime(since),
  octets(counters?.['rxBytes'] ?? 0),
  octets(counters?.['txBytes'] ?? 0),
];

export const sessionsCommand = (): Command =>
  addRunDirectoryOptions(new Command('sessions').description('list the live sessions'))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  pptpd-ts sessions\n  pptpd-ts sessions --run-directory /run/pptpd-ts\n  pptpd-ts sessions --json | jq -r .sessions[].user',
    )
    .action(async (options: RunDirectoryOptions & { json?: true }) => {
      const listing = await listSessions(runDirectoryOf(options));
      if (options.json) {
        console.log(JSON.stringify(listing, null, 2));
        return;
      }
      console.log(table(HEADINGS, listing.sessions.map(row)));
      for (const { why } of listing.unreachable) console.error(`pptpd-ts: ${why}`);
    });
