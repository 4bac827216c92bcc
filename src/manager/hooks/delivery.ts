/** One attempt to tell a program or a web server about an event. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Writable } from 'node:stream';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Configuration } from '../../config/schema.js';
import { PROGRAM_PATH } from '../../host/program-path.js';
import type { HookEvent } from './hook-event.js';

export type Hook = Configuration['hooks'][number];

/** `again`: the next attempt may succeed. */
export type Delivered = { readonly ok: true } | { readonly ok: false; readonly why: string; readonly again: boolean };

/** Ends as soon as `signal` is aborted; then the result does not matter. */
export type Deliver = (event: HookEvent, signal: AbortSignal) => Promise<Delivered>;

/** The machine's certificates, with those that its administrator has added; Node.js has only its own. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const TOO_MANY_REQUESTS = 429;
const FIRST_SERVER_ERROR = 500;

export function deliverer({ run, post, timeout }: Hook): Deliver {
  const milliseconds = timeout * 1000;
  if (post !== undefined) {
    const request = requestTo(new URL(post));
    return async (event, signal) => postEvent(request, event, { signal, milliseconds });
  }
  const [program = '', ...args] = run ?? [];
  return async (event, signal) => runProgram([program, ...args], event, { signal, milliseconds });
}

/** For the log. A URL's name, password, path and query may be secret. */
export const destinationOf = ({ run, post }: Hook): string =>
  post === undefined ? (run?.[0] ?? '') : new URL(post).origin;

interface Limits {
  readonly signal: AbortSignal;
  readonly milliseconds: number;
}

/** The name that a client sends may contain a NUL, which an environment variable cannot. */
const environmentOf = ({ event, session, user, client, address }: HookEvent): NodeJS.ProcessEnv => ({
  PATH: PROGRAM_PATH,
  PPTPD_TS_EVENT: event,
  PPTPD_TS_CLIENT: client,
  PPTPD_TS_SESSION: session ?? '',
  PPTPD_TS_USER: user?.replaceAll('\0', '') ?? '',
  PPTPD_TS_ADDRESS: address ?? '',
});

/** The program reads the event on standard input. It has its own process group, which is killed after the time limit. */
async function runProgram(
  [program = '', ...args]: readonly string[],
  event: HookEvent,
  { signal, milliseconds }: Limits,
): Promise<Delivered> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      env: environmentOf(event),
      detached: true,
    });
    let isLate = false;
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    };
    const timer = setTimeout(() => {
      isLate = true;
      kill();
    }, milliseconds);
    const end = (result: Delivered): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      resolve(result);
    };
    signal.addEventListener('abort', kill);
    child.on('error', (error) => end({ ok: false, why: error.message, again: false }));
    child.on('exit', (code, signalName) => {
      const late = `it ran for more than ${milliseconds / 1000} s and was killed`;
      if (code === 0) end({ ok: true });
      else end({ ok: false, why: isLate ? late : (signalName ?? `exit code ${code}`), again: false });
    });
    // A program need not read it. Without descriptors left there is no pipe, and `error` says so.
    (child.stdin as Writable | null)?.on('error', () => undefined).end(`${JSON.stringify(event)}\n`);
  });
}

type StartRequest = (options: RequestOptions) => ClientRequest;

function requestTo(url: URL): StartRequest {
  if (url.protocol === 'http:') return (options) => httpRequest(url, options);
  // Reading the certificates takes 0.1 s, so it is done once.
  let secureContext: SecureContext | undefined;
  return (options) => {
    secureContext ??= createSecureContext(certificates());
    // Passed on to tls.connect; Node's types of HTTPS do not have it.
    const withContext: RequestOptions & { readonly secureContext: SecureContext } = { ...options, secureContext };
    return httpsRequest(url, withContext);
  };
}

/** Redirections are not followed. */
async function postEvent(start: StartRequest, event: HookEvent, { signal, milliseconds }: Limits): Promise<Delivered> {
  return new Promise((resolve) => {
    const failed = (why: string, again: boolean): void => resolve({ ok: false, why, again });
    const body = JSON.stringify(event);
    const request = start({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]),
      // A connection for each event: a manager that says nothing for hours keeps none open.
      agent: false,
    });
    request.on('response', (response) => {
      const { statusCode = 0 } = response;
      response.on('error', () => undefined).resume();
      if (statusCode >= 200 && statusCode < 300) resolve({ ok: true });
      else failed(`status ${statusCode}`, statusCode === TOO_MANY_REQUESTS || statusCode >= FIRST_SERVER_ERROR);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      const late = error.name === 'AbortError' || error.name === 'TimeoutError';
      failed(late ? `no answer within ${milliseconds / 1000} s` : (error.code ?? error.message), true);
    });
    request.end(body);
  });
}

function certificates(): { readonly ca?: Buffer } {
  try {
    return { ca: readFileSync(CERTIFICATES) };
  } catch {
    return {};
  }
}
