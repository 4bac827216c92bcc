/**
 * The manager's side of the monitor: it says which worker has which session. A monitor that has died knows this from its
 * folder; it is told again all the same, since that changes nothing.
 */
import type { NetworkReport } from '../network/report.js';
import { MonitorConnection } from './monitor-connection.js';
import type { AccountOver, Registration } from './protocol.js';

export class MonitorRegistrar {
  readonly #sessions = new Map<string, Registration>();
  readonly #connection: MonitorConnection;

  /** `path`: the monitor's socket. */
  constructor(path: string) {
    this.#connection = new MonitorConnection({
      path,
      onReconnect: () => [...this.#sessions.values()].map((session) => ({ type: 'register', ...session })),
    });
  }

  /**
   * Resolves when the worker may ask for what is the session's. Rejects with MonitorError; the next monitor is told all the
   * same, until `release`.
   */
  async register(session: Registration): Promise<void> {
    this.#sessions.set(session.session, session);
    await this.#connection.ask({ type: 'register', ...session });
  }

  /** The session is over; what is left of it is taken back. Without effect when it is not known. */
  async release(session: string): Promise<void> {
    this.#sessions.delete(session);
    await this.#connection.ask({ type: 'release', session });
  }

  /** The sessions that their accounts no longer permit, or some of them. Rejects with MonitorError. */
  async review(): Promise<readonly AccountOver[]> {
    const { answer } = await this.#connection.ask({ type: 'review' });
    return answer.type === 'reviewed' ? answer.over : [];
  }

  /** The rules of the section `network`; null: none are in force. `patience`: ms. Rejects with MonitorError. */
  async networkReport(patience: number): Promise<NetworkReport | null> {
    const { answer } = await this.#connection.ask({ type: 'network' }, patience);
    return answer.type === 'network' ? answer.report : null;
  }

  /** Idempotent; the sessions stay. */
  close(): void {
    this.#connection.close();
  }
}
