/** `pptpd-ts status`: asks the manager for a summary of the server; without a manager it counts the sessions. */
import { Command } from 'commander';
import { RESTORATIONS } from '../../network/report.js';
import { listSessions } from '../../session/client.js';
import { type ManagerStatus, managerStatus, type NetworkStatus } from '../../session/manager-status.js';
import { askManager, NoManager } from '../../admin/ask-manager.js';
import { messageOf } from '../../sys/thrown.js';
import {
  addConfigurationArgument,
  addRunDirectoryOptions,
  EXIT,
  runDirectoryOf,
  type RunDirectoryOptions,
} from '../configuration.js';
import { localTime } from '../../admin/units.js';

const counts = (values: Readonly<Record<string, number>>): string =>
  Object.entries(values)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ') || 'none';

const TABLE_STATES = {
  inForce: 'in force since',
  changed: 'CHANGED by another program; put into force',
  missing: 'MISSING in the kernel; put into force',
} as const;

/** The rules of the section `network`. */
export function networkText(network: NetworkStatus): string {
  if (network.state === 'unknown') return `not known: ${network.why}`;
  const { table, state, forwarding, masquerade, since, restored } = network;
  return [
    `forwarding ${forwarding ? 'on' : 'OFF'}`,
    ...(table === null ? [] : [`nftables table ${table} ${TABLE_STATES[state]} ${localTime(since)}`]),
    ...(masquerade.length === 0 ? [] : [`NAT through ${masquerade.join(', ')}`]),
    ...(restored === null
      ? []
      : [`restored ${restored.count === 1 ? 'once' : `${restored.count} times`}: ${RESTORATIONS[restored.why]}`]),
  ].join('; ');
}

const lines = ({
  version,
  pid,
  since,
  runsAs,
  engine,
  listening,
  sessions,
  leases,
  workers,
  turnedAway,
  blocked,
  network,
}: ManagerStatus): string[] => [
  `manager      pptpd-ts ${version}, process ${pid}, since ${localTime(since)}`,
  `runs as      ${runsAs}`,
  `PPP engine   ${engine}`,
  `listening    ${listening}`,
  `sessions     ${counts(sessions)}`,
  `addresses    ${leases.lent} of ${leases.most} leased`,
  `workers      ${workers.idle} spare, ${workers.starting} starting`,
  `turned away  ${counts(turnedAway)}`,
  `blocked      ${blocked} ${blocked === 1 ? 'address' : 'addresses'} (pptpd-ts blocks)`,
  ...(network === null ? [] : [`network      ${networkText(network)}`]),
];

export const statusCommand = (): Command =>
  addConfigurationArgument(addRunDirectoryOptions(new Command('status').description('show a summary of the server')))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  pptpd-ts status\n  pptpd-ts status --json | jq .leases\n\nExit code 1: the manager does not answer; 3: no manager is running (sessions may continue without one).',
    )
    .action(async (_file: unknown, options: RunDirectoryOptions & { json?: true }) => {
      const runDirectory = runDirectoryOf(options);
      try {
        const status = managerStatus.parse(await askManager(runDirectory, 'status'));
        console.log(options.json ? JSON.stringify(status, null, 2) : lines(status).join('\n'));
      } catch (error) {
        const none = error instanceof NoManager;
        process.exitCode = none ? EXIT.notRunning : EXIT.failed;
        console.error(`pptpd-ts: ${messageOf(error)}`);
        if (!none) return;
        const { sessions, unreachable } = await listSessions(runDirectory);
        console.error(`pptpd-ts: sessions that continue without a manager: ${sessions.length + unreachable.length}`);
      }
    });
