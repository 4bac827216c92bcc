/**
 * The event streams of open pages (server-sent events). All get the same batches, at most four a second, so that a page
 * costs little more than its bytes. A reader that falls behind is disconnected; its browser connects again and gets a
 * snapshot.
 */
import type { StreamEvent } from '../api/schemas.js';

/** Between two batches, ms. */
const BATCH_MS = 250;
const MAX_STREAMS = 200;
/** Of one user or token: pages in several windows. */
const MAX_OF_ONE = 20;
/** Octets that a reader may be behind, beyond its snapshot. */
const MAX_UNREAD = 512 * 1024;
/** ms. Proxies close idle connections. */
const SIGN_OF_LIFE_MS = 15_000;
const SIGN_OF_LIFE = new TextEncoder().encode(': \n\n');

/** Events of these kinds replace an earlier one of the same batch: only the last counts. */
function keyOf({ event, data }: StreamEvent): string | null {
  switch (event) {
    case 'session':
    case 'gone':
      return `session ${data.id}`;
    case 'status':
    case 'users':
      return event;
    case 'snapshot':
    case 'unreachable':
    case 'rates':
    case 'traffic':
    case 'happening':
      return null;
  }
}

interface Stream {
  readonly owner: string;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly isStillValid: () => Promise<boolean>;
}

export interface StreamReader {
  /** Who reads: the name of a user or token. */
  readonly owner: string;
  /** Whether it may go on reading. */
  readonly isStillValid: () => Promise<boolean>;
}

export class EventStreams {
  readonly #streams = new Set<Stream>();
  #pending: StreamEvent[] = [];
  readonly #places = new Map<string, number>();
  #batchTimer: NodeJS.Timeout | null = null;
  readonly #lifeTimer = setInterval(() => void this.#check(), SIGN_OF_LIFE_MS).unref();
  readonly #snapshot: () => readonly StreamEvent[];

  /** `snapshot`: what a new stream is told first. */
  constructor(snapshot: () => readonly StreamEvent[]) {
    this.#snapshot = snapshot;
  }

  get count(): number {
    return this.#streams.size;
  }

  /** null: there are too many, or too many of this owner. */
  open({ owner, isStillValid }: StreamReader): ReadableStream<Uint8Array> | null {
    const own = Array.from(this.#streams).filter((each) => each.owner === owner).length;
    if (this.#streams.size >= MAX_STREAMS || own >= MAX_OF_ONE) return null;
    // Pending events are contained in the snapshot and must not follow it.
    this.#flush();
    const first = encode(this.#snapshot());
    const allowance = first.length + MAX_UNREAD;
    let stream: Stream | null = null;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          stream = { owner, controller, isStillValid };
          this.#streams.add(stream);
          controller.enqueue(first);
        },
        cancel: () => {
          if (stream !== null) this.#streams.delete(stream);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: allowance }),
    );
  }

  /** Without open streams the event is dropped. */
  send(event: StreamEvent): void {
    if (this.#streams.size === 0) return;
    const key = keyOf(event);
    const place = key === null ? undefined : this.#places.get(key);
    if (place === undefined) {
      if (key !== null) this.#places.set(key, this.#pending.length);
      this.#pending.push(event);
    } else this.#pending[place] = event;
    this.#batchTimer ??= setTimeout(() => this.#flush(), BATCH_MS);
  }

  close(): void {
    clearInterval(this.#lifeTimer);
    if (this.#batchTimer !== null) clearTimeout(this.#batchTimer);
    for (const stream of this.#streams) this.#drop(stream);
  }

  #flush(): void {
    if (this.#batchTimer !== null) clearTimeout(this.#batchTimer);
    this.#batchTimer = null;
    const batch = this.#pending;
    this.#pending = [];
    this.#places.clear();
    if (batch.length > 0) this.#write(encode(batch));
  }

  #write(octets: Uint8Array): void {
    for (const stream of this.#streams) {
      const { controller } = stream;
      if ((controller.desiredSize ?? 0) < octets.length) this.#drop(stream);
      else controller.enqueue(octets);
    }
  }

  #drop(stream: Stream): void {
    this.#streams.delete(stream);
    stream.controller.error(new Error('the reader is too slow, or may read no longer'));
  }

  async #check(): Promise<void> {
    this.#write(SIGN_OF_LIFE);
    for (const stream of this.#streams) {
      const isValid = await stream.isStillValid().catch(() => true);
      if (!isValid && this.#streams.has(stream)) this.#drop(stream);
    }
  }
}

const encode = (events: readonly StreamEvent[]): Uint8Array =>
  new TextEncoder().encode(`event: batch\ndata: ${JSON.stringify(events)}\n\n`);
