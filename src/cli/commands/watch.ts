/** `pptpd-ts watch`: prints a line for each event of every session. */
import { Command } from 'commander';
import type { SessionClient } from '../../session/client.js';
import { SessionFollower } from '../../session/follower.js';
import type { SessionState } from '../../session/state.js';
import { aborted } from '../../admin/aborted.js';
import { missingManager } from '../../admin/ask-manager.js';
import { messageOf } from '../../sys/thrown.js';
import { addRunDirectoryOptions, runDirectoryOf, type RunDirectoryOptions } from '../configuration.js';
import { ending, type Happening, happenings, type Step } from '../../admin/happenings.js';
import { localTime } from '../../admin/units.js';
import { green, red, yellow } from '../output.js';
import { selected, type Selection } from '../../admin/selection.js';
import { addSelectionOptions } from '../selection.js';
import { stopSignal } from '../stop.js';

interface WatchOptions extends RunDirectoryOptions, Selection {
  readonly json?: true;
}

const plain = (text: string): string => text;
const COLOURS = {
  connected: plain,
  authenticated: plain,
  up: green,
  warning: yellow,
  failed: red,
  ended: yellow,
} as const satisfies Record<Step, (text: string) => string>;

/** Width of the longest step. */
const STEP_WIDTH = 'authenticated'.length;

function line({ event, session, user, client, address, detail }: Happening): string {
  const who = `${user ?? '-'} from ${client}${address === null ? '' : ` with ${address}`}`;
  const step = COLOURS[event](event.padEnd(STEP_WIDTH));
  return `${localTime(Date.now())}  ${session}  ${step}  ${who}${detail === null ? '' : `: ${detail}`}`;
}

export const watchCommand = (): Command =>
  addSelectionOptions(
    addRunDirectoryOptions(
      new Command('watch').description(
        'print a line when a session connects, authenticates, comes up, has a problem, fails or ends',
      ),
    ),
  )
    .option('--json', 'print one JSON object per line')
    .addHelpText(
      'after',
      `
Examples:
  pptpd-ts watch
  pptpd-ts watch --user alice
  pptpd-ts watch --json | jq -r 'select(.event == "failed") | .detail'

Sessions that exist already are shown with their events so far. Without a manager the command says so and waits for
one. Ctrl-C ends it.

Exit code 0: after Ctrl-C; 1: the run directory cannot be read.`,
    )
    .action(async (_file: unknown, options: WatchOptions) => {
      const runDirectory = runDirectoryOf(options);
      const stop = stopSignal();
      const print = (state: SessionState, happened: readonly Happening[]): void => {
        // The user is known only after the login: until then --user selects nothing of this session.
        if (selected(options, [state]).length === 0) return;
        for (const each of happened) {
          console.log(options.json ? JSON.stringify({ time: new Date().toISOString(), ...each }) : line(each));
        }
      };
      const follower = new SessionFollower({
        runDirectory,
        onEvent: (event) => {
          if (event.type === 'unreachable') {
            console.error(`pptpd-ts: ${event.why}`);
            return;
          }
          const { session } = event;
          follow(session, print).catch((error: unknown) => {
            console.error(`pptpd-ts: ${messageOf(error)}`);
            session.close();
          });
        },
      });
      const noManager = await missingManager(runDirectory);
      if (noManager !== null) console.error(`pptpd-ts: ${noManager.message}; waiting for one`);
      await aborted(stop);
      follower.close();
      // The open sockets of the sessions would keep the process alive.
      process.exit();
    });

/** Rejects if the session's answer is not understood. */
async function follow(
  session: SessionClient,
  print: (state: SessionState, happened: readonly Happening[]) => void,
): Promise<void> {
  let last: SessionState | null = null;
  const tell = (state: SessionState): void => {
    print(state, happenings(last, state));
    last = state;
  };
  session.onState = tell;
  session.onClose = () => {
    if (last !== null) print(last, [ending(last)]);
  };
  await session.request('subscribe', {});
  await session.state(tell);
}
