/** The argument that names a session, and the error handling of all commands that talk to one. */
import { Argument } from 'commander';
import type { SessionClient } from '../session/client.js';
import { messageOf } from '../sys/thrown.js';
import { EXIT } from './configuration.js';

/** A class of its own, so that shell completion knows where to offer session ids. */
export class SessionArgument extends Argument {
  constructor() {
    super('<id>', 'the id of a session, as `pptpd-ts sessions` lists it');
  }
}

/** Last line of these commands' help. */
export const NO_SUCH_SESSION = 'Exit code 1: there is no such session, or it does not answer.';

/**
 * Calls `ask` with the session that `find` returns, unless that is null, and closes it afterwards. Prints a failure and
 * sets exit code 1.
 */
export async function withSession(
  find: () => Promise<SessionClient | null>,
  ask: (session: SessionClient) => Promise<void>,
): Promise<void> {
  try {
    const session = await find();
    await (session && ask(session).finally(() => session.close()));
  } catch (error) {
    console.error(`pptpd-ts: ${messageOf(error)}`);
    process.exitCode = EXIT.failed;
  }
}
