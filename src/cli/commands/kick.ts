/** `pptpd-ts kick WHO...`: ends sessions by id, user or address, and waits until they have ended. Needs no manager. */
import { Command, InvalidArgumentError } from 'commander';
import { isMeant, kick, namedIn } from '../../admin/kick.js';
import { listSessions } from '../../session/client.js';
import { MAX_DETAIL } from '../../session/request.js';
import { addRunDirectoryOptions, EXIT, runDirectoryOf, type RunDirectoryOptions } from '../configuration.js';

function parseReason(text: string): string {
  if (text.length <= MAX_DETAIL && !/\p{Cc}/u.test(text)) return text;
  throw new InvalidArgumentError(`write one line of at most ${MAX_DETAIL} characters`);
}

interface KickOptions extends RunDirectoryOptions {
  readonly reason?: string;
  readonly json?: true;
}

export const kickCommand = (): Command =>
  addRunDirectoryOptions(
    new Command('kick')
      .description('end sessions: notify the clients, and wait until the sessions have ended')
      .argument('<who...>', 'session ids, users, client addresses or tunnel addresses'),
  )
    .option('--reason <text>', 'the reason, for the log and the accounting', parseReason)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  pptpd-ts kick 1kzdpy\n  pptpd-ts kick alice bob --reason "moved to the other server"\n  pptpd-ts kick 192.0.2.7\n\nExit code 1: no session matches, or a session did not end.',
    )
    .action(async (whos: string[], options: KickOptions) => {
      const runDirectory = runDirectoryOf(options);
      const all = namedIn(runDirectory, await listSessions(runDirectory));
      const meant = all.filter((each) => whos.some((who) => isMeant(who, each)));
      const nobody = whos.filter((who) => !all.some((each) => isMeant(who, each)));
      const kicked = await Promise.all(meant.map(async (each) => kick(runDirectory, each, options.reason)));
      if (options.json) console.log(JSON.stringify({ kicked, nobody }, null, 2));
      for (const { session, user, client, failure } of kicked) {
        const name = `session ${session} (${client === null ? 'client unknown' : `${user ?? 'no user yet'}, ${client}`})`;
        if (failure !== null) console.error(`pptpd-ts: ${name} did not end: ${failure}`);
        else if (!options.json) console.log(`${name} has ended`);
      }
      for (const who of nobody) console.error(`pptpd-ts: no session matches ${who}`);
      if (nobody.length > 0 || kicked.some(({ failure }) => failure !== null)) process.exitCode = EXIT.failed;
    });
