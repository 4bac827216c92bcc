/** `pptpd-ts show ID`: prints the state of one session and the last lines of its log. */
import { Command, InvalidArgumentError } from 'commander';
import { interfaceOfPppd } from '../../host/ppp-interface.js';
import type { SessionState } from '../../session/state.js';
import { SessionClient } from '../../session/client.js';
import { messageOf } from '../../sys/thrown.js';
import { addRunDirectoryOptions, runDirectoryOf, type RunDirectoryOptions } from '../configuration.js';
import { describeSession } from '../description.js';
import { lastLines, type LogLine, logLineText } from '../../admin/log-tail.js';
import { bold } from '../output.js';
import { quotaOf, quotaText } from '../../admin/account-quota.js';
import { NO_SUCH_SESSION, SessionArgument, withSession } from '../session-argument.js';

interface ShowOptions extends RunDirectoryOptions {
  readonly json?: true;
  readonly lines: number;
}

export const showCommand = (): Command =>
  addRunDirectoryOptions(
    new Command('show')
      .description('show one session: client, negotiation, encryption, loss, round-trip time, counters, last log lines')
      .addArgument(new SessionArgument()),
  )
    .option(
      '-n, --lines <count>',
      'number of log lines to show, if the session has a log file of its own',
      parseCount,
      10,
    )
    .option('--json', 'print JSON: the state, the interface, the quota of the account, the log lines')
    .addHelpText(
      'after',
      `\nExamples:\n  pptpd-ts show 1kzdpy\n  pptpd-ts show 1kzdpy --lines 50\n  pptpd-ts show 1kzdpy --json | jq .counters\n\n${NO_SUCH_SESSION}`,
    )
    .action(async (id: string, options: ShowOptions) => {
      await withSession(
        async () => SessionClient.connect(runDirectoryOf(options), id),
        async (session) => {
          const state = await session.state();
          const interfaceName = state.pppdPid === null ? state.interface : interfaceOfPppd(state.pppdPid);
          const quota = await quotaOf(state.limits?.account ?? null, options.config);
          const lastLog = logOf(state, options.lines);
          if (options.json) {
            console.log(JSON.stringify({ ...state, interface: interfaceName, quota, lastLog }, null, 2));
            return;
          }
          console.log(describeSession(state, { interfaceName, quota: quotaText(quota), now: Date.now() }));
          if (lastLog.length === 0) return;
          console.log(
            ['', bold('last log lines (UTC)'), ...lastLog.map((line) => `  ${logLineText(line)}`)].join('\n'),
          );
        },
      );
    });

function logOf({ log }: SessionState, count: number): LogLine[] {
  if (log === null || log.file === null) return [];
  try {
    return lastLines(log.file, count);
  } catch (error) {
    console.error(`pptpd-ts: ${log.file}: ${messageOf(error)}`);
    return [];
  }
}

function parseCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('not a number of lines');
  return Number(text);
}
