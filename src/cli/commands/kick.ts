/** `pptpd-ts kick WHO...`: ends sessions by id, user or address, and waits until they have ended. Needs no manager. */
import { isIPv4 } from 'node:net';
import { Command, InvalidArgumentError } from 'commander';
import { listSessions, SessionClient, SessionGone } from '../../session/client.js';
import { readRecord } from '../../session/record.js';
import { MAX_DETAIL } from '../../session/request.js';
import type { SessionState } from '../../session/state.js';
import { addRunDirectoryOptions, EXIT, runDirectoryOf, type RunDirectoryOptions } from '../configuration.js';

/** Milliseconds. pppd is killed after `timeouts.pppdExit`; a session that takes longer than this hangs. */
const PATIENCE_MS = 30_000;

/** The properties that the arguments are compared with. */
interface Named {
  readonly session: string;
  readonly user: string | null;
  /** null: the session does not answer, or another version runs it. */
  readonly client: string | null;
  readonly tunnel: string | null;
}

const named = ({ session, user, peer, tunnel }: SessionState): Named => ({
  session,
  user,
  client: peer.address,
  tunnel: tunnel.remote,
});

/** Reads the address from the record of a session that does not answer or is of another version. */
function namedByRecord(runDirectory: string, session: string): Named {
  const record = readRecord(runDirectory, session);
  return { session, user: null, client: null, tunnel: record?.agreedRemote ?? record?.lease.remote ?? null };
}

const isMeant = (who: string, { session, user, client, tunnel }: Named): boolean =>
  isIPv4(who) ? client === who || tunnel === who : session === who || user === who;

interface Kicked {
  readonly session: string;
  readonly user: string | null;
  readonly client: string | null;
  /** null: the session has ended; else why not. */
  readonly failure: string | null;
}

async function kick(runDirectory: string, one: Named, detail: string | undefined): Promise<Kicked> {
  const { session, user, client: address } = one;
  const kicked = { session, user, client: address };
  try {
    const client = await SessionClient.reach(runDirectory, session);
    const over = new Promise<boolean>((resolve) => {
      client.onClose = () => resolve(true);
      setTimeout(() => resolve(false), PATIENCE_MS).unref();
    });
    await client.request('disconnect', { reason: 'kicked', ...(detail === undefined ? {} : { detail }) });
    const isOver = await over;
    client.close();
    return { ...kicked, failure: isOver ? null : `it has not ended after ${PATIENCE_MS / 1000} s` };
  } catch (error) {
    if (error instanceof SessionGone) return { ...kicked, failure: null };
    return { ...kicked, failure: error instanceof Error ? error.message : String(error) };
  }
}

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
      const { sessions, unreachable } = await listSessions(runDirectory);
      const all = [...sessions.map(named), ...unreachable.map(({ id }) => namedByRecord(runDirectory, id))];
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
