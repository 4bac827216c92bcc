/**
 * Tells the monitor which of pppd's sessions live: the rules of the section `network` stay as long as one does, also
 * without a manager. Of the builtin engine's sessions it knows anyway.
 */
import { identify } from '../host/process.js';
import type { Logger } from '../log/logger.js';
import type { MonitorRegistrar } from '../monitor/monitor-registrar.js';
import type { SessionState } from '../session/state.js';
import { messageOf } from '../sys/thrown.js';
import type { SessionWatcher } from './registry.js';

export class NetworkSessions implements SessionWatcher {
  readonly #registrar: Pick<MonitorRegistrar, 'register' | 'release' | 'close'>;
  readonly #log: Logger;
  #closed = false;

  constructor(registrar: Pick<MonitorRegistrar, 'register' | 'release' | 'close'>, log: Logger) {
    this.#registrar = registrar;
    this.#log = log;
  }

  changed({ session, pid, peer, localAddress, callId }: SessionState, before: SessionState | null): void {
    const worker = before === null ? identify(pid) : null;
    if (worker === null) return;
    const registration = {
      session,
      worker,
      engine: 'pppd',
      local: null,
      remote: null,
      peer: peer.address,
      server: localAddress,
      callId,
    } as const;
    this.#report(session, this.#registrar.register(registration));
  }

  over(session: string): void {
    this.#report(session, this.#registrar.release(session));
  }

  /** Idempotent; the sessions stay. */
  close(): void {
    this.#closed = true;
    this.#registrar.close();
  }

  #report(session: string, told: Promise<void>): void {
    told.catch((error: unknown) => {
      if (this.#closed) return;
      const why = messageOf(error);
      this.#log.warn({ session }, `the rules of the section "network" may go before this session does: ${why}`);
    });
  }
}
