/**
 * The session's record in the run directory: what a manager needs to know of it should its worker die. It is written anew when
 * another process belongs to the session, or somebody has removed it.
 */
import { identifyOurselves, type ProcessIdentity } from '../host/process.js';
import type { Logger } from '../log/logger.js';
import type { Handoff } from '../session/handoff.js';
import { hasRecord, removeSessionFiles, writeRecord } from '../session/record-writer.js';

export class SessionRecord {
  readonly #handoff: Handoff;
  readonly #log: Logger;
  /** The process that the record names besides this one. */
  #recorded: ProcessIdentity | null = null;

  constructor(handoff: Handoff, log: Logger) {
    this.#handoff = handoff;
    this.#log = log;
  }

  /** `pppd`: the process that must not outlive the session. Throws what the system says. */
  write(pppd: ProcessIdentity | null): void {
    const { session, lease, configuration } = this.#handoff;
    writeRecord(configuration.runDirectory, { session, lease, worker: identifyOurselves(), pppd });
    this.#recorded = pppd;
  }

  /** The same where something has changed. On a full disk the session goes on with the record that it has. */
  update(pppd: ProcessIdentity | null): void {
    const { session, configuration } = this.#handoff;
    if (this.#recorded === pppd && hasRecord(configuration.runDirectory, session)) return;
    try {
      this.write(pppd);
    } catch (error) {
      this.#log.error({ err: error }, "cannot write the session's record; the session goes on");
    }
  }

  /** With the session's socket. */
  remove(): void {
    removeSessionFiles(this.#handoff.configuration.runDirectory, this.#handoff.session);
  }
}
