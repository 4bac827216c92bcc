/** `pptpd-ts blocks`: lists the client addresses that are blocked after failed logins, and unblocks them. */
import { isIPv4 } from 'node:net';
import { Command, InvalidArgumentError, Option } from 'commander';
import { blocksResult, unblockResult } from '../../session/manager-status.js';
import { askManager, NoManager } from '../../admin/ask-manager.js';
import { messageOf } from '../../sys/thrown.js';
import {
  addConfigurationArgument,
  addRunDirectoryOptions,
  EXIT,
  runDirectoryOf,
  type RunDirectoryOptions,
} from '../configuration.js';
import { duration, localTime } from '../../admin/units.js';
import { table } from '../table.js';

interface BlocksOptions extends RunDirectoryOptions {
  readonly json?: true;
  readonly clear?: string;
  readonly clearAll?: true;
}

const HEADINGS = ['ADDRESS', 'FAILED LOGINS', 'UNTIL', 'REMAINING'];

export const blocksCommand = (): Command =>
  addConfigurationArgument(
    addRunDirectoryOptions(
      new Command('blocks').description(
        'list the client addresses that are blocked after failed logins, or unblock them',
      ),
    ),
    'to unblock an address, use --clear ADDRESS',
  )
    .addOption(new Option('--clear <address>', 'unblock this address').argParser(parseAddress).conflicts('clearAll'))
    .option('--clear-all', 'unblock all addresses')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  pptpd-ts blocks\n  pptpd-ts blocks --clear 192.0.2.7\n  pptpd-ts blocks --json | jq -r .blocks[].address\n\n' +
        'Exit code 1: the address is not blocked, or the manager does not answer; 3: no manager is running.',
    )
    .action(async (_file: unknown, options: BlocksOptions) => {
      const runDirectory = runDirectoryOf(options);
      try {
        if (options.clear === undefined && options.clearAll === undefined) await list(runDirectory, options);
        else await clear(runDirectory, options);
      } catch (error) {
        console.error(`pptpd-ts: ${messageOf(error)}`);
        process.exitCode = error instanceof NoManager ? EXIT.notRunning : EXIT.failed;
      }
    });

async function list(runDirectory: string, { json }: BlocksOptions): Promise<void> {
  const { blocks } = blocksResult.parse(await askManager(runDirectory, 'blocks'));
  if (json) {
    console.log(JSON.stringify({ blocks }, null, 2));
    return;
  }
  const rows = blocks.map(({ address, failedLogins, remaining }) => [
    address,
    String(failedLogins),
    localTime(Date.now() + remaining * 1000),
    duration(remaining),
  ]);
  console.log(table(HEADINGS, rows));
}

async function clear(runDirectory: string, options: BlocksOptions): Promise<void> {
  const address = options.clear ?? null;
  const { unblocked } = unblockResult.parse(await askManager(runDirectory, 'unblock', { address }));
  if (options.json) console.log(JSON.stringify({ unblocked }, null, 2));
  else for (const each of unblocked) console.log(`${each} is no longer blocked`);
  if (address === null || unblocked.length > 0) return;
  console.error(`pptpd-ts: ${address} is not blocked`);
  process.exitCode = EXIT.failed;
}

function parseAddress(text: string): string {
  if (!isIPv4(text)) throw new InvalidArgumentError('not an IPv4 address: write 192.0.2.7');
  return text;
}
