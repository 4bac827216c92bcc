/**
 * The HTTP end of the metrics: GET /metrics and nothing else. Whoever asks is asked for little: requests are short,
 * connections few, and those that wait at the same time share one answer.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { listenFailure } from '../../host/listen-failures.js';

const PATH = '/metrics';
/** More scrapers at once are no scrapers. */
const MAX_CONNECTIONS = 32;
/** A request is one line and a few headers; whoever takes longer for it has hung. */
const REQUEST_TIMEOUT_MS = 5000;

/** What is served, asked for each time that somebody wants it. */
export interface Page {
  readonly contentType: string;
  text(): Promise<string>;
}

export class MetricsServer {
  readonly #server: Server;
  readonly #page: Page;
  #underWay: Promise<string> | null = null;

  constructor(page: Page) {
    this.#page = page;
    this.#server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 1000 },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Rejects with the sentence for the administrator when the address cannot be had. */
  async listen({ address, port }: { readonly address: string; readonly port: number }): Promise<void> {
    try {
      this.#server.listen({ host: address, port });
      await once(this.#server, 'listening');
    } catch (error) {
      const failure = listenFailure(`for metrics on ${address}:${port}`, error);
      throw new Error(failure, { cause: error });
    }
  }

  /** Ends every connection too; idempotent. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0];
    if (path !== PATH) end(response, 404, `there is only ${PATH} here\n`);
    else if (request.method !== 'GET') end(response, 405, 'GET alone\n', { allow: 'GET' });
    else {
      this.#underWay ??= this.#page.text().finally(() => (this.#underWay = null));
      try {
        end(response, 200, await this.#underWay, { 'content-type': this.#page.contentType });
      } catch (error) {
        end(response, 500, `${error instanceof Error ? error.message : String(error)}\n`);
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
