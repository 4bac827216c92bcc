/** The stream of events that keeps the page up to date. When it breaks it is opened again, after longer and longer waits. */
import type { Api } from './api.js';
import { apiPath, ApiError } from './api.js';
import type { StreamEvent, Traffic } from '../api/schemas.js';
import { type LiveState, RATE_SECONDS } from './model/live-state.js';

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 10_000;

export class LiveStream {
  readonly #api: Api;
  readonly #state: LiveState;
  #source: EventSource | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #wait = FIRST_WAIT;
  #sampling: ReturnType<typeof setInterval> | undefined;

  constructor(api: Api, state: LiveState) {
    this.#api = api;
    this.#state = state;
  }

  open(): void {
    this.close();
    const source = new EventSource(apiPath('/events'));
    this.#source = source;
    source.addEventListener('open', () => {
      this.#wait = FIRST_WAIT;
      this.#state.setConnection('live');
      this.#sampling = setInterval(() => this.#state.sample(), RATE_SECONDS * 1000);
      void this.#loadTraffic();
    });
    source.addEventListener('batch', ({ data }) => this.#state.apply(JSON.parse(data as string) as StreamEvent[]));
    source.addEventListener('error', () => {
      this.close();
      void this.#openAgain();
    });
  }

  close(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#sampling);
    this.#source?.close();
    this.#source = null;
  }

  /** An EventSource does not tell why it failed, so a request finds out whether this browser is still logged in. */
  async #openAgain(): Promise<void> {
    try {
      if ((await this.#api.me()) === null) {
        this.#api.onLoggedOut();
        return;
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    this.#state.setConnection('lost');
    this.#retry = setTimeout(() => this.open(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  async #loadTraffic(): Promise<void> {
    try {
      const { points } = await this.#api.get<Traffic>('/traffic');
      this.#state.setTraffic(points);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }
}
