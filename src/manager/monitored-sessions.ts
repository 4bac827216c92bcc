/**
 * Tells the monitor which worker serves which session, for the builtin engine: root then gives the worker what is that
 * session's, and takes it back at its end.
 */
import { identify } from '../host/process.js';
import type { Logger } from '../log/logger.js';
import type { MonitorRegistrar } from '../monitor/monitor-registrar.js';
import type { Lease, Peer } from '../session/lease.js';
import { messageOf } from '../sys/thrown.js';
import type { SessionWatcher } from './registry.js';

/** A monitor registers a session within 1 ms. One that stands still must not delay the start reply, ms. */
const PATIENCE_MS = 200;

export interface NewSession {
  readonly session: string;
  /** Process id of its worker; undefined: it has none any more. */
  readonly worker: number | undefined;
  readonly lease: Lease;
  readonly peer: Peer;
  /** The server's address that the client called. */
  readonly server: string;
}

export class MonitoredSessions implements SessionWatcher {
  readonly #registrar: Pick<MonitorRegistrar, 'register' | 'release' | 'close'>;
  readonly #log: Logger;

  constructor(registrar: Pick<MonitorRegistrar, 'register' | 'release' | 'close'>, log: Logger) {
    this.#registrar = registrar;
    this.#log = log;
  }

  /**
   * Resolves when the worker may ask the monitor, or when that takes too long or fails: its requests then wait for it, and the
   * session's call fails and says so. Every session that has entered must be `over` at last.
   */
  async enter(session: NewSession): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
    await Promise.race([this.#register(session), late]);
    clearTimeout(timer);
  }

  async #register({ session, worker, lease, peer, server }: NewSession): Promise<void> {
    const identity = worker === undefined ? null : identify(worker);
    if (identity === null || lease.local === null) return;
    const { local, remote, callId } = lease;
    try {
      await this.#registrar.register({ session, worker: identity, local, remote, peer: peer.address, server, callId });
    } catch (error) {
      this.#log.error({ session, err: error }, `cannot register a session with the monitor: ${messageOf(error)}`);
    }
  }

  over(session: string): void {
    this.#registrar.release(session).catch((error: unknown) => {
      this.#log.warn({ session }, `cannot tell the monitor that a session is over: ${messageOf(error)}`);
    });
  }

  /** Idempotent; the sessions stay. */
  close(): void {
    this.#registrar.close();
  }
}
