/**
 * The live sessions as the console knows them. Each worker reports its state when it changes, over a connection that stays
 * open; nothing is polled.
 */
import { ending, type Happening, happenings } from '../../admin/happenings.js';
import { encryptionText, failureText, pppOf } from '../../admin/ppp-texts.js';
import type { SessionClient } from '../../session/client.js';
import { SessionFollower } from '../../session/follower.js';
import { listSessionIds } from '../../session/record.js';
import type { SessionState } from '../../session/state.js';
import { messageOf } from '../../sys/thrown.js';
import type { SessionList, SessionRow } from '../api/schemas.js';
import type { Carried } from './traffic-meter.js';

interface Live {
  readonly client: SessionClient;
  readonly state: SessionState;
  /** The interface of pppd, once it is known. */
  interface: string | null;
}

export type SessionEvent =
  | { readonly type: 'changed'; readonly id: string }
  | { readonly type: 'gone'; readonly id: string }
  | { readonly type: 'unreachable'; readonly id: string; readonly why: string }
  | { readonly type: 'happened'; readonly happening: Happening; readonly state: SessionState };

export interface LiveSessionsOptions {
  readonly runDirectory: string;
  readonly carried: (id: string) => Carried;
  readonly onEvent: (event: SessionEvent) => void;
}

export class LiveSessions {
  readonly #options: LiveSessionsOptions;
  readonly #sessions = new Map<string, Live>();
  readonly #unreachable = new Map<string, string>();
  /** Sessions whose connection closed without a reported end: the worker has died, or has only dropped this reader. */
  readonly #dropped = new Map<string, SessionState>();
  readonly #follower: SessionFollower;

  constructor(options: LiveSessionsOptions) {
    this.#options = options;
    this.#follower = new SessionFollower({
      runDirectory: options.runDirectory,
      onEvent: (event) => {
        if (event.type === 'unreachable') this.#notReached(event.id, event.why);
        else void this.#follow(event.session);
      },
    });
  }

  close(): void {
    this.#follower.close();
    for (const { client } of this.#sessions.values()) client.close();
  }

  get count(): number {
    return this.#sessions.size + this.#unreachable.size;
  }

  client(id: string): SessionClient | null {
    return this.#sessions.get(id)?.client ?? null;
  }

  /** Why a session that exists does not answer; null: it answers, or does not exist. */
  whyUnreachable(id: string): string | null {
    return this.#unreachable.get(id) ?? null;
  }

  get unreachable(): SessionList['unreachable'] {
    return Array.from(this.#unreachable, ([id, why]) => ({ id, why }));
  }

  get states(): SessionState[] {
    return Array.from(this.#sessions.values(), ({ state }) => state);
  }

  /** The oldest first. */
  get rows(): SessionRow[] {
    return Array.from(this.#sessions.values(), (live) => this.#rowOf(live)).toSorted((a, b) => a.since - b.since);
  }

  row(id: string): SessionRow | null {
    const live = this.#sessions.get(id);
    return live === undefined ? null : this.#rowOf(live);
  }

  /** By session, as far as they are known. `pppds`: the interfaces by the process id of their pppd. */
  interfaces(pppds: () => ReadonlyMap<number, string>): Map<string, string> {
    let known: ReadonlyMap<number, string> | null = null;
    const names = new Map<string, string>();
    for (const [id, live] of this.#sessions) {
      const { pppdPid, interface: own, phase } = live.state;
      // Read only where an interface is still to be found.
      if (pppdPid !== null && live.interface === null && phase === 'up') {
        known ??= pppds();
        live.interface = known.get(pppdPid) ?? null;
      }
      const name = pppdPid === null ? own : live.interface;
      if (name !== null) names.set(id, name);
    }
    return names;
  }

  /** Forgets sessions that did not answer and no longer exist. */
  forgetGone(): void {
    if (this.#unreachable.size + this.#dropped.size === 0) return;
    const ids = new Set(listSessionIds(this.#options.runDirectory));
    for (const id of this.#unreachable.keys()) {
      if (ids.has(id)) continue;
      this.#unreachable.delete(id);
      this.#options.onEvent({ type: 'gone', id });
    }
    for (const [id, state] of this.#dropped) {
      if (ids.has(id)) continue;
      this.#dropped.delete(id);
      this.#options.onEvent({ type: 'happened', happening: ending(state), state });
    }
  }

  async #follow(client: SessionClient): Promise<void> {
    const { id } = client;
    client.onState = (state) => this.#recv(client, state);
    client.onClose = () => this.#lost(client);
    try {
      await client.request('subscribe', {});
      await client.state((state) => this.#recv(client, state));
    } catch (error) {
      client.close();
      // A connection that closed while the session was known means its end.
      if (this.#sessions.has(id)) this.#lost(client);
      else this.#notReached(id, messageOf(error));
    }
  }

  #recv(client: SessionClient, told: SessionState): void {
    const { id } = client;
    // The socket's name says whose state it is, whatever the worker says.
    const state = { ...told, session: id };
    const before = this.#sessions.get(id);
    const last = before?.state ?? this.#dropped.get(id) ?? null;
    this.#unreachable.delete(id);
    this.#dropped.delete(id);
    this.#sessions.set(id, {
      client,
      state,
      interface: before?.state.pppdPid === state.pppdPid ? before.interface : null,
    });
    for (const happening of happenings(last, state)) this.#options.onEvent({ type: 'happened', happening, state });
    this.#options.onEvent({ type: 'changed', id });
  }

  #lost(client: SessionClient): void {
    const { id } = client;
    const live = this.#sessions.get(id);
    if (live?.client === client) {
      this.#sessions.delete(id);
      if (live.state.ending === null) this.#dropped.set(id, live.state);
      else this.#options.onEvent({ type: 'happened', happening: ending(live.state), state: live.state });
      this.#options.onEvent({ type: 'gone', id });
    }
    this.#follower.lookAgain(id);
  }

  #notReached(id: string, why: string): void {
    if (!listSessionIds(this.#options.runDirectory).includes(id)) return;
    this.#unreachable.set(id, why);
    this.#options.onEvent({ type: 'unreachable', id, why });
  }

  #rowOf({ state, interface: found }: Live): SessionRow {
    const { session, user, peer, tunnel, phase, since, link, warning, pppdPid } = state;
    const { encryption, failure = null } = pppOf(state);
    return {
      id: session,
      user,
      client: peer.address,
      address: tunnel.remote,
      phase,
      since,
      interface: pppdPid === null ? state.interface : found,
      encryption: encryptionText(encryption),
      link,
      ...this.#options.carried(session),
      warning: warning?.text ?? null,
      loginFailure: failure === null ? null : failureText(failure, link),
    };
  }
}
