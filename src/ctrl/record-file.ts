/**
 * The session's record in the run directory, which a manager reads if the worker dies. It is written again when its content
 * has changed or somebody has removed it.
 */
import { identifyOurselves } from '../host/process.js';
import type { Logger } from '../log/logger.js';
import type { Handoff } from '../session/handoff.js';
import { hasRecord, removeSessionFiles, writeRecord } from '../session/record-writer.js';
import type { SessionRecord } from '../session/record.js';

/** The call in the record. `pppd`: the process that must not outlive the session. */
export type CallRecord = Pick<SessionRecord, 'pppd' | 'agreedRemote'>;

export class RecordFile {
  readonly #handoff: Handoff;
  readonly #log: Logger;
  #written: CallRecord = { pppd: null };

  constructor(handoff: Handoff, log: Logger) {
    this.#handoff = handoff;
    this.#log = log;
  }

  /** Throws the system's error. */
  write(call: CallRecord): void {
    const { session, lease, configuration } = this.#handoff;
    writeRecord(configuration.runDirectory, { session, lease, worker: identifyOurselves(), ...call });
    this.#written = call;
  }

  /** Writes the record if something has changed. If that fails, the session goes on with the old one. */
  update(call: CallRecord): void {
    const { session, configuration } = this.#handoff;
    const isSame = this.#written.pppd === call.pppd && this.#written.agreedRemote === call.agreedRemote;
    if (isSame && hasRecord(configuration.runDirectory, session)) return;
    try {
      this.write(call);
    } catch (error) {
      this.#log.error(
        { err: error },
        "cannot write the session's record. The session goes on; but if its worker dies, a pppd may keep running and its address may be leased twice",
      );
    }
  }

  /** Removes the record and the session's socket. */
  remove(): void {
    removeSessionFiles(this.#handoff.configuration.runDirectory, this.#handoff.session);
  }
}
