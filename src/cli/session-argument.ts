/** The argument that names a session, and what all commands do that talk to one: find it, and say what went wrong. */
import { Argument } from 'commander';
import type { SessionClient } from '../session/client.js';
import { EXIT } from './configuration.js';

/** A class of its own, so that shell completion knows where session ids belong. */
export class SessionArgument extends Argument {
  constructor() {
    super('<id>', 'the session, as `pptpd-ts sessions` lists it');
  }
}

/** The sentence that ends every such command's help. */
export const NO_SUCH_SESSION = 'Exit code 1: there is no such session, or it does not answer.';

/** Runs `ask` with the session that `find` finds, null being none, and closes it behind that; a failure is said, and is exit code 1. */
export async function withSession(
  find: () => Promise<SessionClient | null>,
  ask: (session: SessionClient) => Promise<void>,
): Promise<void> {
  try {
    const session = await find();
    await (session && ask(session).finally(() => session.close()));
  } catch (error) {
    console.error(`pptpd-ts: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = EXIT.failed;
  }
}
