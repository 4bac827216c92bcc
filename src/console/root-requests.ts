/**
 * The console's end of its connection to the monitor, which is root: the settings, renewed certificates, and requests for what
 * needs root.
 */
import type { Duplex } from 'node:stream';
import * as z from 'zod';
import { readLines } from '../session/lines.js';
import {
  type Certificate,
  type ConsoleSettings,
  MAX_CONSOLE_ANSWER,
  type RefusalKind,
  type RootRequest,
} from './protocol.js';

/** ms. `pptpd-ts doctor` takes longest. */
const PATIENCE_MS = 90_000;
/** Requests that wait for their answer. */
const MAX_WAITING = 256;

const answer = z.union([
  z.object({ id: z.number(), ok: z.literal(true), result: z.unknown() }),
  z.object({
    id: z.number(),
    ok: z.literal(false),
    kind: z.enum(['unknown', 'known', 'refused', 'malformed', 'failed']),
    error: z.string(),
  }),
]);

const renewal = z.object({ renewed: z.object({ certificate: z.string(), key: z.string() }) });

export class RootRefusal extends Error {
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, sentence: string) {
    super(sentence);
    this.kind = kind;
  }
}

/** What root does for the console. Rejects with RootRefusal. */
export interface Root {
  ask(request: RootRequest): Promise<unknown>;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: RootRefusal) => void;
  readonly timer: NodeJS.Timeout;
}

export class RootConnection implements Root {
  readonly #connection: Duplex;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #useCertificate: ((renewed: Certificate) => void) | null = null;
  /** It arrived before the server was there to use it. */
  #renewed: Certificate | null = null;
  /** The first line that arrives. */
  readonly settings: Promise<ConsoleSettings>;

  /** `onClosed`: the monitor is gone. */
  constructor(connection: Duplex, onClosed: () => void) {
    this.#connection = connection;
    let tell: ((settings: ConsoleSettings) => void) | null = null;
    this.settings = new Promise((resolve) => (tell = resolve));
    connection.on('error', () => connection.destroy()).on('close', onClosed);
    readLines(
      connection,
      (line) => {
        if (tell === null) this.#recv(line);
        // Root made it, and the settings were checked when it read the configuration.
        else tell(line as ConsoleSettings);
        tell = null;
      },
      MAX_CONSOLE_ANSWER,
    );
  }

  async ask(request: RootRequest): Promise<unknown> {
    if (this.#waiting.size >= MAX_WAITING) throw new RootRefusal('failed', 'too many requests are waiting for root');
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new RootRefusal('failed', 'root does not answer'));
      }, PATIENCE_MS);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#connection.write(`${JSON.stringify({ ...request, id })}\n`);
    });
  }

  /** `use` is called with each certificate that replaces the one of the settings. */
  onRenewed(use: (renewed: Certificate) => void): void {
    this.#useCertificate = use;
    if (this.#renewed !== null) use(this.#renewed);
  }

  #recv(line: unknown): void {
    const renewed = renewal.safeParse(line);
    if (renewed.success) {
      this.#renewed = renewed.data.renewed;
      this.#useCertificate?.(this.#renewed);
      return;
    }
    const parsed = answer.safeParse(line);
    if (!parsed.success) return;
    const waiting = this.#waiting.get(parsed.data.id);
    if (waiting === undefined) return;
    this.#waiting.delete(parsed.data.id);
    clearTimeout(waiting.timer);
    if (parsed.data.ok) waiting.resolve(parsed.data.result);
    else waiting.reject(new RootRefusal(parsed.data.kind, parsed.data.error));
  }
}
