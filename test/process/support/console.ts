/** The console of a server under test, as a program with a token sees it. */
import assert from 'node:assert/strict';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import type { StreamEvent } from '../../../src/console/api/schemas.js';
import { changeConsoleFile, tokenHash } from '../../../src/users/console-users.js';
import type { Server, Settings } from './server.js';
import { Arrivals } from './wait.js';

export const CONSOLE_PORT = 8723;

const usersFileOf = (server: Server): string => join(server.directory, 'console.json');

export const consoleSettings = (server: Server): Settings => ({ console: { users: usersFileOf(server) } });

/** A token of this role. */
export async function makeToken(server: Server, name: string, role: 'view' | 'admin'): Promise<string> {
  const token = `a-token-of-${name}`;
  const added = { name, role, sha256: tokenHash(token), created: new Date().toISOString() };
  await changeConsoleFile(usersFileOf(server), (file) => ({ ...file, tokens: [...file.tokens, added] }));
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
