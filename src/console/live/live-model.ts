/**
 * The state of the running server, which the console keeps and sends to open pages: sessions, rates, traffic of the last
 * hour, failures, whether the manager answers.
 */
import { hostname } from 'node:os';
import { askManager } from '../../admin/ask-manager.js';
import type { Happening } from '../../admin/happenings.js';
import { type AmountsByName, amountsByName } from '../../host/interface-amounts.js';
import { interfacesOfPppds } from '../../host/ppp-interface.js';
import { version } from '../../host/version.js';
import { type ManagerStatus, managerStatus } from '../../session/manager-status.js';
import type { SessionState } from '../../session/state.js';
import { messageOf } from '../../sys/thrown.js';
import type { Failure, SessionList, Status, StreamEvent, Traffic } from '../api/schemas.js';
import { EventStreams, type StreamReader } from './event-streams.js';
import { LiveSessions, type SessionEvent } from './sessions.js';
import { STEP_SECONDS, TrafficMeter } from './traffic-meter.js';

/** Between two measurements while a page is open, and while none is, ms. */
const LOOK_MS = 2000;
const IDLE_LOOK_MS = STEP_SECONDS * 1000;
const MAX_FAILURES = 1000;

export interface LiveModelOptions {
  readonly runDirectory: string;
  readonly hasHistory: boolean;
  /** What went through the machine's interfaces. */
  readonly amounts?: () => AmountsByName;
}

type Answer = { readonly server: ManagerStatus } | { readonly server: null; readonly why: string };

export class LiveModel {
  readonly #options: LiveModelOptions;
  readonly #since = Date.now();
  readonly #meter = new TrafficMeter();
  readonly sessions: LiveSessions;
  readonly streams: EventStreams;
  /** The newest last. */
  #failures: Failure[] = [];
  #manager: Answer = { server: null, why: 'the manager was not asked yet' };
  #asking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LiveModelOptions) {
    this.#options = options;
    this.sessions = new LiveSessions({
      runDirectory: options.runDirectory,
      carried: (id) => this.#meter.of(id),
      onEvent: (event) => this.#recv(event),
    });
    this.streams = new EventStreams(() => [
      { event: 'snapshot', data: this.list },
      { event: 'status', data: this.#status },
    ]);
    this.#look();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.sessions.close();
    this.streams.close();
  }

  get list(): SessionList {
    return { sessions: this.sessions.rows, unreachable: this.sessions.unreachable };
  }

  get traffic(): Traffic {
    return { step: STEP_SECONDS, points: [...this.#meter.points] };
  }

  /** Since this process began; the newest first. */
  get failures(): readonly Failure[] {
    return this.#failures.toReversed();
  }

  /** A new stream of events for a page; null: there are too many. */
  open(reader: StreamReader): ReadableStream<Uint8Array> | null {
    const stream = this.streams.open(reader);
    // So that the first page does not wait for up to IDLE_LOOK_MS.
    if (stream !== null && this.streams.count === 1) this.#look();
    return stream;
  }

  /** The users of the VPN have changed. */
  usersChanged(): void {
    this.streams.send({ event: 'users', data: {} });
  }

  /** Asks the manager. */
  async status(): Promise<Status> {
    await this.#askManager();
    return this.#status;
  }

  get #status(): Status {
    const { server } = this.#manager;
    const byPhase: Record<string, number> = {};
    for (const { phase } of this.sessions.states) byPhase[phase] = (byPhase[phase] ?? 0) + 1;
    const unreachable = this.sessions.unreachable.length;
    if (unreachable > 0) byPhase['unreachable'] = unreachable;
    return {
      host: hostname(),
      version,
      console: { since: this.#since },
      manager: { answers: server !== null, why: 'why' in this.#manager ? this.#manager.why : null },
      server,
      sessions: { total: this.sessions.count, byPhase },
      addresses: server === null ? null : { used: server.leases.lent, total: server.leases.most },
      traffic: this.#meter.sums,
      hasHistory: this.#options.hasHistory,
    };
  }

  /** Concurrent calls share one request. Pages are told when the answer differs from the last one. */
  async #askManager(): Promise<void> {
    this.#asking ??= this.#hearManager().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #hearManager(): Promise<void> {
    const before = JSON.stringify(this.#manager);
    try {
      this.#manager = { server: managerStatus.parse(await askManager(this.#options.runDirectory, 'status')) };
    } catch (error) {
      this.#manager = { server: null, why: messageOf(error) };
    }
    if (JSON.stringify(this.#manager) !== before) this.streams.send({ event: 'status', data: this.#status });
  }

  #look(): void {
    clearTimeout(this.#timer);
    this.sessions.forgetGone();
    const interfaces = this.sessions.interfaces(interfacesOfPppds);
    const at = performance.now();
    const changed = this.#meter.look(interfaces, (this.#options.amounts ?? amountsByName)(), at);
    if (changed.size > 0) {
      const data = Object.fromEntries(
        Array.from(changed, ([id, { rxRate, txRate, rxBytes, txBytes }]) => [id, [rxRate, txRate, rxBytes, txBytes]]),
      );
      this.streams.send({ event: 'rates', data } as StreamEvent);
    }
    const point = this.#meter.point(this.sessions.count, Date.now(), at);
    if (point !== null) {
      this.streams.send({ event: 'traffic', data: point });
      this.streams.send({ event: 'status', data: this.#status });
    }
    if (this.streams.count > 0) void this.#askManager();
    this.#timer = setTimeout(() => this.#look(), this.streams.count > 0 ? LOOK_MS : IDLE_LOOK_MS);
  }

  #recv(event: SessionEvent): void {
    switch (event.type) {
      case 'changed': {
        const row = this.sessions.row(event.id);
        if (row !== null) this.streams.send({ event: 'session', data: row });
        break;
      }
      case 'gone':
        this.streams.send({ event: 'gone', data: { id: event.id } });
        break;
      case 'unreachable':
        this.streams.send({ event: 'unreachable', data: { id: event.id, why: event.why } });
        break;
      case 'happened': {
        const time = Date.now();
        this.streams.send({ event: 'happening', data: { time, ...event.happening } });
        const failure = failureOf(event.happening, event.state, time);
        if (failure !== null) this.#failures = [...this.#failures.slice(1 - MAX_FAILURES), failure];
        break;
      }
    }
  }
}

function failureOf(happening: Happening, { ending }: SessionState, time: number): Failure | null {
  const { event, session, user, client, detail, cause = null } = happening;
  if (event !== 'failed' || detail === null) return null;
  const remedy = ending?.remedy ?? null;
  return { time, session, user, client, cause, text: withoutRemedy(detail, remedy), remedy };
}

/** A failure's sentence is `PROBLEM; remedy: REMEDY` (docs/failures.md). */
function withoutRemedy(text: string, remedy: string | null): string {
  const end = `; remedy: ${remedy}`;
  return remedy !== null && text.endsWith(end) ? text.slice(0, -end.length) : text;
}
