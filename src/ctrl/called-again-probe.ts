/**
 * Another session has the client address and the call id of this one: the client may have called again, or two clients
 * behind a NAT router share a call id. Packets to this client would reach the other session, so they wait until the client
 * shows that it is still here. If it does not, ctrl/keepalive ends the session.
 */
import type { Call } from './call-control.js';
import type { ControlConnection } from './control-connection.js';
import type { SessionWarning } from './session-warning.js';

export interface CalledAgainProbeOptions {
  readonly control: Pick<ControlConnection, 'askForSignOfLife'>;
  readonly warning: SessionWarning;
}

export class CalledAgainProbe {
  readonly #options: CalledAgainProbeOptions;
  /** The call that was asked about, and the other session; null: the client is not asked. */
  #asked: { readonly call: Call; readonly by: string } | null = null;

  constructor(options: CalledAgainProbeOptions) {
    this.#options = options;
  }

  /** Asks the client of `call`, because of session `by`. */
  ask(call: Call, by: string): void {
    const { control, warning } = this.#options;
    // A second client that calls again and again must not stop this session each time.
    if (warning.last?.cause !== 'callIdShared') call.link.holdBack(true);
    this.#asked = { call, by };
    control.askForSignOfLife();
  }

  /** The client is still here. `current`: its call now. */
  recvSignOfLife(current: Call | null): void {
    const asked = this.#asked;
    this.#asked = null;
    if (asked === null) return;
    const { call, by } = asked;
    call.link.holdBack(false);
    if (current === call) this.#options.warning.callIdShared(call.request.callId, by);
  }
}
