/** `pptpd-ts show ID`: everything that one session tells about itself. */
import { Command } from 'commander';
import { SessionClient } from '../../session/client.js';
import { SessionArgument } from '../session-argument.js';
import type { SessionState } from '../../session/state.js';
import { addRunDirectoryOptions, EXIT, runDirectoryOf, type RunDirectoryOptions } from '../configuration.js';
import { bold, localTime } from '../output.js';

type Json = Readonly<Record<string, unknown>>;

/** Nested values as `key.key  value` lines; what is null or zero is left out: it has not happened. */
function lines(value: unknown, key: string): [string, string][] {
  if (value === null || value === 0 || value === '') return [];
  if (typeof value !== 'object') return [[key, typeof value === 'string' ? value : JSON.stringify(value)]];
  if (Array.isArray(value))
    return value.length === 0 ? [] : [[key, value.map((each) => JSON.stringify(each)).join(', ')]];
  return Object.entries(value as Json).flatMap(([name, inner]) => lines(inner, key === '' ? name : `${key}.${name}`));
}

function section(title: string, values: unknown): string {
  const pairs = lines(values, '');
  if (pairs.length === 0) return '';
  const width = Math.max(...pairs.map(([name]) => name.length));
  return [bold(title), ...pairs.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)].join('\n');
}

function describeSession({ counters, ppp, since, ...session }: SessionState): string {
  return [
    section('session', { ...session, since: localTime(since) }),
    section('PPP negotiation', ppp),
    section('GRE relay (counters that are 0 are left out)', counters),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

export const showCommand = (): Command =>
  addRunDirectoryOptions(
    new Command('show')
      .description('show one session: client, negotiation, counters by reason, round-trip time, window')
      .addArgument(new SessionArgument()),
  )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  pptpd-ts show 1kzdpy\n  pptpd-ts show 1kzdpy --json | jq .counters\n\nExit code 1: there is no such session.',
    )
    .action(async (id: string, options: RunDirectoryOptions & { json?: true }) => {
      const runDirectory = runDirectoryOf(options);
      try {
        const client = await SessionClient.connect(runDirectory, id);
        const state = await client.state().finally(() => client.close());
        console.log(options.json ? JSON.stringify(state, null, 2) : describeSession(state));
      } catch (error) {
        console.error(`pptpd-ts: ${error instanceof Error ? error.message : String(error)}`);
        process.exitCode = EXIT.failed;
      }
    });
