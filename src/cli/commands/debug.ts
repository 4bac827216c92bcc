/** `pptpd-ts debug ID on|off`: changes the log level of one session while it runs. */
import { Argument, Command } from 'commander';
import * as z from 'zod';
import { LOG_LEVELS } from '../../log/level.js';
import { SessionClient } from '../../session/client.js';
import { addRunDirectoryOptions, runDirectoryOf, type RunDirectoryOptions } from '../configuration.js';
import { NO_SUCH_SESSION, SessionArgument, withSession } from '../session-argument.js';

/** null: the configured level. */
const LEVELS = { on: 'debug', off: null } as const;

const answer = z.object({ level: z.enum(LOG_LEVELS) });

export const debugCommand = (): Command =>
  addRunDirectoryOptions(
    new Command('debug')
      .description('log one session at level debug, or at the configured level again; other sessions are not affected')
      .addArgument(new SessionArgument())
      .addArgument(new Argument('<state>', 'on: level debug; off: the configured level').choices(Object.keys(LEVELS))),
  )
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExamples:\n  pptpd-ts debug 1kzdpy on\n  pptpd-ts debug 1kzdpy off\n\n${NO_SUCH_SESSION}`)
    .action(async (id: string, state: keyof typeof LEVELS, options: RunDirectoryOptions & { json?: true }) => {
      await withSession(
        async () => SessionClient.connect(runDirectoryOf(options), id),
        async (session) => {
          const { level } = answer.parse(await session.request('logLevel', { level: LEVELS[state] }));
          console.log(options.json ? JSON.stringify({ session: id, level }) : `session ${id} logs at level ${level}`);
        },
      );
    });
