/** What the console may ask root for, and the answers. Their only secrets are the hashes that logins are compared with. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readRootRequest, type RefusalKind, type RootAnswer, type RootRequest } from '../console/protocol.js';
import { messageOf } from '../sys/thrown.js';
import { findConsoleToken, findConsoleUser } from '../users/console-users.js';
import { openUserStore } from '../users/open-user-store.js';
import { withRememberedList } from '../users/remembered-list.js';
import { UserFault } from '../users/user-store.js';
import { answerUserRequest, userRequest } from '../users/user-requests.js';
import type { MonitorConsoleSettings } from './protocol.js';

const COMMAND_LINE = fileURLToPath(new URL('../bundle/cli.js', import.meta.url));
const DOCTOR_LIMIT_MS = 60_000;
/** How long findings are reused, ms: each run of doctor is a process. */
const FRESH_MS = 10_000;
const MAX_FINDINGS = 4 * 1024 * 1024;

export interface ConsoleRequests {
  /** null: the line is not a request. Never rejects. */
  answer(line: unknown): Promise<RootAnswer | null>;
}

export function openConsoleRequests(settings: MonitorConsoleSettings): ConsoleRequests {
  const store = withRememberedList(openUserStore(settings.userPlace));
  let findings: Promise<unknown> | null = null;
  const work = async (request: RootRequest): Promise<unknown> => {
    switch (request.ask) {
      case 'users': {
        const checked = userRequest.safeParse(request.request);
        if (!checked.success) throw new Malformed('not an operation on users');
        return answerUserRequest(store, checked.data);
      }
      case 'consoleUser':
        return findConsoleUser(settings.users, request.name);
      case 'consoleToken':
        return findConsoleToken(settings.users, request.hash);
      case 'doctor':
        // Requests within FRESH_MS get the same findings.
        findings ??= doctor(settings.configuration).finally(() =>
          setTimeout(() => (findings = null), FRESH_MS).unref(),
        );
        return findings;
    }
  };
  return {
    answer: async (line) => {
      const request = readRootRequest(line);
      if (request === null) return null;
      try {
        return { id: request.id, ok: true, result: await work(request) };
      } catch (error) {
        return { id: request.id, ok: false, kind: kindOf(error), error: messageOf(error) };
      }
    },
  };
}

class Malformed extends Error {}

function kindOf(error: unknown): RefusalKind {
  if (error instanceof UserFault) return error.kind;
  return error instanceof Malformed ? 'malformed' : 'failed';
}

/** The findings of the command, which has exit code 1 if a check failed. */
async function doctor(configuration: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [COMMAND_LINE, 'doctor', '--json', '-c', configuration],
    { timeout: DOCTOR_LIMIT_MS, maxBuffer: MAX_FINDINGS, cwd: '/' },
  ).catch((error: Error & { readonly stdout?: string; readonly stderr?: string; readonly code?: unknown }) => {
    if (error.code === 1 && error.stdout !== undefined) return { stdout: error.stdout };
    throw new Error(`pptpd-ts doctor failed: ${error.stderr?.trim() || error.message}`);
  });
  return JSON.parse(stdout);
}
