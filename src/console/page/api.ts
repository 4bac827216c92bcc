/** Requests to the console's API. A request that fails rejects with a sentence that can be shown. */
import type { ApiError as Problem, Me } from '../api/schemas.js';

const BASE = '/api/v1';

export class ApiError extends Error {
  /** HTTP status; 0: the console did not answer. */
  readonly status: number;
  readonly remedy: string | null;

  constructor(status: number, sentence: string, remedy: string | null) {
    super(sentence);
    this.name = 'ApiError';
    this.status = status;
    this.remedy = remedy;
  }
}

type Query = Readonly<Record<string, string | number | null | undefined>>;

/** `/sessions?user=bob`: parameters that are null or empty are left out. */
export function apiPath(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return `${BASE}${path}${text === '' ? '' : `?${text}`}`;
}

export class Api {
  /** Called when the console no longer knows this browser. */
  onLoggedOut: () => void = () => {};
  #csrf = '';

  async get<Answer>(path: string, query: Query = {}, signal: AbortSignal | null = null): Promise<Answer> {
    return this.#send<Answer>('GET', apiPath(path, query), undefined, signal);
  }

  async change<Answer>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
    return this.#send<Answer>(method, apiPath(path), body, null);
  }

  /** Who is logged in; null: nobody. */
  async me(): Promise<Me | null> {
    try {
      const me = await this.#send<Me>('GET', apiPath('/me'), undefined, null, false);
      this.#csrf = me.csrf ?? '';
      return me;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  }

  async login(name: string, password: string): Promise<void> {
    await this.#send('POST', apiPath('/login'), { name, password }, null, false);
  }

  async logout(): Promise<void> {
    await this.change('POST', '/logout');
  }

  async #send<Answer>(
    method: string,
    path: string,
    body: unknown,
    signal: AbortSignal | null,
    reportsLogout = true,
  ): Promise<Answer> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (method !== 'GET' && this.#csrf !== '') headers['x-csrf-token'] = this.#csrf;
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        headers,
        signal,
        credentials: 'same-origin',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      throw new ApiError(
        0,
        'The console does not answer.',
        "Check your connection. If it is fine, look at the server's log: journalctl -u pptpd-ts.",
      );
    }
    if (response.ok) return (response.status === 204 ? {} : await response.json()) as Answer;
    if (response.status === 401 && reportsLogout) this.onLoggedOut();
    throw await problemOf(response);
  }
}

async function problemOf(response: Response): Promise<ApiError> {
  try {
    const { error, remedy = null } = (await response.json()) as Problem;
    if (typeof error === 'string')
      return new ApiError(response.status, error, typeof remedy === 'string' ? remedy : null);
  } catch {
    // Not JSON: a proxy in between has answered.
  }
  return new ApiError(
    response.status,
    `The console answered ${response.status} ${response.statusText}.`.trimEnd(),
    null,
  );
}
