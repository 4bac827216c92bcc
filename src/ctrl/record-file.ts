/**
 * The session's record in the run directory: what a manager needs to know of it should its worker die. It is written anew when
 * what it says has changed, or somebody has removed it.
 */
import { identifyOurselves } from '../host/process.js';
import type { Logger } from '../log/logger.js';
import type { Handoff } from '../session/handoff.js';
import { hasRecord, removeSessionFiles, writeRecord } from '../session/record-writer.js';
import type { SessionRecord } from '../session/record.js';

/** What the record says of the call. `pppd`: the process that must not outlive the session. */
export type CallRecord = Pick<SessionRecord, 'pppd' | 'agreedRemote'>;

export class RecordFile {
  readonly #handoff: Handoff;
  readonly #log: Logger;
  #written: CallRecord = { pppd: null };

  constructor(handoff: Handoff, log: Logger) {
    this.#handoff = handoff;
    this.#log = log;
  }

  /** Throws what the system says. */
  write(call: CallRecord): void {
    const { session, lease, configuration } = this.#handoff;
    writeRecord(configuration.runDirectory, { session, lease, worker: identifyOurselves(), ...call });
    this.#written = call;
  }

  /** The same where something has changed. On a full disk the session goes on with the record that it has. */
  update(call: CallRecord): void {
    const { session, configuration } = this.#handoff;
    const isSame = this.#written.pppd === call.pppd && this.#written.agreedRemote === call.agreedRemote;
    if (isSame && hasRecord(configuration.runDirectory, session)) return;
    try {
      this.write(call);
    } catch (error) {
      this.#log.error(
        { err: error },
        "cannot write the session's record; the session goes on, but if its worker dies, its pppd or its address may be overlooked",
      );
    }
  }

  /** With the session's socket. */
  remove(): void {
    removeSessionFiles(this.#handoff.configuration.runDirectory, this.#handoff.session);
  }
}
