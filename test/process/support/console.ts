/** The console of a server under test, as a program with a token sees it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import type { StreamEvent } from '../../../src/console/api/schemas.js';
import type { Server, Settings } from './server.js';
import { Arrivals } from './wait.js';

const PROGRAM = join(process.cwd(), 'bin', 'pptpd-ts');
export const CONSOLE_PORT = 8723;

export const consoleSettings = (server: Server): Settings => ({
  console: { users: `${server.directory}/console.json` },
});

/** A token of this role, made by the command. */
export function makeToken(server: Server, name: string, role: 'view' | 'admin'): string {
  const args = ['console', 'token', 'add', name, '--role', role, '-c', server.configurationFile];
  const { status, stdout, stderr } = spawnSync(PROGRAM, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const [token] = /\S{40,}/.exec(stdout) ?? assert.fail(`no token in ${stdout}`);
  return token;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The text as JSON; undefined: it is none. */
  readonly json: unknown;
}

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  /** In place of `body`, as it is. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class ConsoleClient {
  readonly #token: string | null;

  constructor(token: string | null) {
    this.#token = token;
  }

  /** `path`: below /api/v1, unless it begins with //. */
  open(path: string, { method = 'GET', body, text, headers = {} }: Asked = {}): ClientRequest {
    const content = text ?? (body === undefined ? null : JSON.stringify(body));
    const asked = request({
      host: '127.0.0.1',
      port: CONSOLE_PORT,
      path: path.startsWith('//') ? path.slice(1) : `/api/v1${path}`,
      method,
      agent: false,
      headers: {
        ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(content === null
          ? {}
          : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(content)) }),
        ...headers,
      },
    });
    asked.end(content ?? undefined);
    return asked;
  }

  async ask(path: string, asked: Asked = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.open(path, asked)
        .on('error', reject)
        .on('response', (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('latin1');
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: jsonOf(chunks) });
          });
        });
    });
  }

  /** The answer's JSON; asserts that it is a good one. */
  async get<T>(path: string, asked: Asked = {}): Promise<T> {
    const { status, text, json } = await this.ask(path, asked);
    assert.equal(status, 200, `${path}: ${text}`);
    return json as T;
  }

  /** The events of /events, as they arrive; resolves when the first batch is there. */
  async events(): Promise<EventReader> {
    const asked = this.open('/events');
    return new Promise((resolve, reject) => {
      asked.on('error', reject).on('response', (response) => {
        if (response.statusCode === 200) resolve(new EventReader(asked, response));
        else reject(new Error(`/events: status ${response.statusCode}`));
      });
    });
  }
}

function jsonOf(chunks: readonly Buffer[]): unknown {
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}

export class EventReader {
  readonly events = new Arrivals<StreamEvent>();
  readonly batches: number[] = [];
  readonly #request: ClientRequest;
  /** Resolves when the server has closed it. */
  readonly closed: Promise<void>;

  constructor(asked: ClientRequest, response: IncomingMessage) {
    this.#request = asked;
    let pending = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const frames = (pending + chunk).split('\n\n');
      pending = frames.pop() ?? '';
      for (const frame of frames) this.#recv(frame);
    });
    this.closed = new Promise((resolve) => response.on('error', () => undefined).on('close', resolve));
    asked.on('error', () => undefined);
  }

  #recv(frame: string): void {
    const data = /^event: batch\ndata: (.*)$/.exec(frame)?.[1];
    if (data === undefined) return;
    const batch = JSON.parse(data) as StreamEvent[];
    this.batches.push(data.length);
    for (const event of batch) this.events.add(event);
  }

  close(): void {
    this.#request.destroy();
  }
}
