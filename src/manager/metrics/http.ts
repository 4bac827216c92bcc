/**
 * The HTTP server of the metrics: GET /metrics and nothing else. Requests must be short and connections few, and concurrent
 * requests share one answer.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { listenFailure } from '../../host/listen-failures.js';
import { messageOf } from '../../sys/thrown.js';

const PATH = '/metrics';
/** No setup needs more scrapers at once. */
const MAX_CONNECTIONS = 32;
/** A request is one line and a few headers; a client that takes longer hangs. */
const REQUEST_TIMEOUT_MS = 5000;

/** `text` renders the page; requests that come meanwhile get the same rendering. */
export interface Page {
  readonly contentType: string;
  text(): Promise<string>;
}

export class MetricsServer {
  readonly #server: Server;
  readonly #page: Page;
  #rendering: Promise<string> | null = null;

  constructor(page: Page) {
    this.#page = page;
    this.#server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 1000 },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Rejects with an error for the administrator if it cannot listen on the address. */
  async listen({ address, port }: { readonly address: string; readonly port: number }): Promise<void> {
    try {
      this.#server.listen({ host: address, port });
      await once(this.#server, 'listening');
    } catch (error) {
      const failure = listenFailure(`for metrics on ${address}:${port}`, error);
      throw new Error(failure, { cause: error });
    }
  }

  /** Also closes every connection; idempotent. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0];
    if (path !== PATH) end(response, 404, `not found; use ${PATH}\n`);
    else if (request.method !== 'GET') end(response, 405, 'method not allowed; use GET\n', { allow: 'GET' });
    else {
      this.#rendering ??= this.#page.text().finally(() => (this.#rendering = null));
      try {
        end(response, 200, await this.#rendering, { 'content-type': this.#page.contentType });
      } catch (error) {
        end(response, 500, `${messageOf(error)}\n`);
      }
    }
  }
}

function end(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(text);
}
