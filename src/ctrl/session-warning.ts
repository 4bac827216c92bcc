/**
 * What is wrong with a session that goes on. A warning is logged and is part of the session's state. Since a client can
 * cause one again and again, it is logged only when it is not the last one already.
 */
import type { Logger } from '../log/logger.js';
import type { SettingPlaces, Side } from '../ppp/reader.js';
import type { Handoff } from '../session/handoff.js';
import type { SessionState } from '../session/state.js';
import type { LinkKind } from '../link/link.js';
import { describeBlackHole, describeMppeKeys, describeSharedCallId, settingPlaces } from './explain.js';

export interface SessionWarningOptions {
  readonly handoff: Pick<Handoff, 'configuration' | 'peer' | 'localAddress'>;
  readonly log: Logger;
  readonly linkKind: LinkKind;
  /** Publishes the session's state. */
  readonly publish: () => void;
}

export class SessionWarning {
  readonly #options: SessionWarningOptions;
  #last: SessionState['warning'] = null;

  constructor(options: SessionWarningOptions) {
    this.#options = options;
  }

  get last(): SessionState['warning'] {
    return this.#last;
  }

  /** Removes the warning when another call begins. */
  clear(): void {
    this.#last = null;
  }

  /** `arrives`, `missing`: octets of PPP frames, see gre/size-loss. */
  mtuBlackHole(arrives: number, missing: number): void {
    const { peer, localAddress } = this.#options.handoff;
    const blackHole = { local: localAddress, peer: peer.address, arrives, missing };
    this.#warn('mtuBlackHole', { arrives, missing }, describeBlackHole(blackHole, this.#places));
  }

  /** `by`: the side that cannot decrypt what it receives. */
  mppeKeysDiffer(by: Side): void {
    this.#warn('mppeKeysDiffer', { by }, describeMppeKeys(this.#options.handoff.peer.address, by, this.#places));
  }

  /** `other`: the session that has the same client address and call id. */
  callIdShared(peerCallId: number, other: string): void {
    const { peer, localAddress } = this.#options.handoff;
    const text = describeSharedCallId(localAddress, peer.address, peerCallId, other);
    this.#warn('callIdShared', { peerCallId, other }, text);
  }

  get #places(): SettingPlaces {
    return settingPlaces(this.#options.handoff.configuration, this.#options.linkKind);
  }

  #warn(cause: string, fields: object, text: string): void {
    if (this.#last?.cause === cause) return;
    this.#last = { cause, text };
    this.#options.log.warn({ cause, ...fields }, text);
    this.#options.publish();
  }
}
