/** The events that hooks get (docs/hooks.md), made from the states of sessions. Pure except for the clock. */
import { hostname } from 'node:os';
import type { HookEventName } from '../../config/schema/hooks.js';
import type { Block } from '../../session/manager-status.js';
import type { SessionState } from '../../session/state.js';

export interface HookEvent {
  readonly event: HookEventName;
  /** ISO 8601 in UTC. */
  readonly time: string;
  /** The server's host name. */
  readonly host: string;
  /** The client's address. */
  readonly client: string;
  /** null: the event is about an address, not about a session. */
  readonly session: string | null;
  readonly user: string | null;
  /** The client's address in the tunnel. */
  readonly address: string | null;
  /** Of `fail`: the failure's name in docs/failures.md. */
  readonly cause?: string;
  /** Of `fail`: cause and remedy in words. */
  readonly text?: string | null;
  /** Of `end`: a name from session/close-reason. */
  readonly reason?: string;
  readonly detail?: string | null;
  /** Of `end`: the session's duration; of `blocked`: that of the block. */
  readonly seconds?: number;
  /** Of `end`: octets from and to the client in its last call; null: there was no call. */
  readonly rxBytes?: number | null;
  readonly txBytes?: number | null;
  /** Of `blocked`. */
  readonly failedLogins?: number;
}

const aboutSession = (event: HookEventName, { session, user, peer, tunnel }: SessionState): HookEvent => ({
  event,
  time: new Date().toISOString(),
  host: hostname(),
  client: peer.address,
  session,
  user,
  address: tunnel.remote,
});

/** The events between two states of a session, oldest first; `before` is null the first time. */
export function eventsBetween(before: SessionState | null, after: SessionState): HookEvent[] {
  const events: HookEvent[] = [];
  if (before === null) events.push(aboutSession('connect', after));
  if (after.phase === 'up' && before?.phase !== 'up') events.push(aboutSession('up', after));
  const cause = after.ending?.cause ?? null;
  if (cause !== null && (before?.ending?.cause ?? null) === null)
    events.push({ ...aboutSession('fail', after), cause, text: after.ending?.text ?? null });
  return events;
}

/** `last`: its last state; `died`: its worker died. */
export const endOf = (last: SessionState, died: boolean): HookEvent => ({
  ...aboutSession('end', last),
  reason: died ? 'workerFailed' : (last.ending?.reason ?? 'unknown'),
  detail: last.ending?.detail ?? null,
  seconds: Math.max(0, Math.round((Date.now() - last.since) / 1000)),
  rxBytes: last.counters?.['rxBytes'] ?? null,
  txBytes: last.counters?.['txBytes'] ?? null,
});

export const blockOf = ({ address, failedLogins, remaining }: Block): HookEvent => ({
  event: 'blocked',
  time: new Date().toISOString(),
  host: hostname(),
  client: address,
  session: null,
  user: null,
  address: null,
  failedLogins,
  seconds: Math.round(remaining),
});
