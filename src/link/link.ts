/**
 * One call's PPP and the way its frames travel, from the Outgoing-Call-Request to its end. Nothing above a link knows which
 * of the implementations it is (ARCHITECTURE.md, "Links").
 */
import type { Configuration } from '../config/schema.js';
import type { RelayCounters } from '../gre/relay-counters.js';
import type { FrameTap } from '../gre/relay.js';
import type { ProcessIdentity } from '../host/process.js';
import type { PppEvent, PppState } from '../ppp/reader.js';
import type { EndCause } from './end-cause.js';

export type LinkCounters = RelayCounters;

/** What the way that frames travel allows. */
export interface LinkAbilities {
  readonly capture: boolean;
  readonly enforceWindow: boolean;
  readonly measureLoss: boolean;
  readonly detectBlackHole: boolean;
}

export type LinkEvent =
  /** PPP is at work: the client may be told that its call stands. Once at most. */
  | { readonly type: 'ready' }
  /** A step of the PPP negotiation. */
  | { readonly type: 'ppp'; readonly event: PppEvent }
  /** Long frames to the client get lost and shorter ones, of up to `arrives` octets, do not; once at most. */
  | { readonly type: 'blackHole'; readonly arrives: number; readonly missing: number }
  /** The link has failed or ended by itself; once at most, never after `close`, which is due all the same. */
  | { readonly type: 'ended'; readonly cause: EndCause };

export interface LinkOptions {
  readonly configuration: Pick<Configuration, 'pppd' | 'listen' | 'gre' | 'timeouts'>;
  /** The addresses that PPP is to agree on, dotted quads; null: they come from elsewhere. */
  readonly tunnel: { readonly local: string | null; readonly remote: string | null };
  /** The client's address, and ours as it dialled it. */
  readonly peerAddress: string;
  readonly localAddress: string;
  /** The call id that the client's GRE packets carry, and the one that ours do. */
  readonly localCallId: number;
  readonly peerCallId: number;
  /** The client's receive window, packets. */
  readonly peerWindow: number;
  readonly onEvent: (event: LinkEvent) => void;
}

export interface Link {
  readonly can: LinkAbilities;
  /** The process that must not outlive the session; null where there is none. */
  readonly process: ProcessIdentity | null;
  readonly ppp: PppState;

  /** Once. Throws nothing: a failure is an event, and may come before `start` returns. */
  start(): void;
  /** The tunnel's network interface, `ppp0` or so; null while it is not known. */
  interfaceName(): string | null;
  /** The send ACCM of a Set-Link-Info (RFC 2637 §2.15), bit n for octet n. It adds to what PPP has negotiated. */
  setSendAccm(accm: number): void;
  /** Whether nothing is sent to the client for now; what comes from it is taken as ever. */
  holdBack(isHeld: boolean): void;
  /** Has every PPP frame shown to `tap`; null ends it. */
  setTap(tap: FrameTap | null): void;
  /** What was counted so far, the last figures once closed; null before anything could be. */
  counters(): LinkCounters | null;
  /**
   * Adds to the counters what came from the client's address and is not of this call, while the client has sent no frame:
   * for an explanation of that.
   */
  countStrays(): void;
  /**
   * Ends the link; resolves when nothing of it is left. Idempotent. PPP takes leave of the client, for some seconds where it
   * does not answer, unless `peerGone`.
   */
  close(options: { readonly peerGone: boolean }): Promise<void>;
}

/** What a link needs and what takes long to make, made before there is a client. */
export interface Standby {
  /** See Link; what it is before there is a call. */
  readonly process: ProcessIdentity | null;
  /** It can no longer become a link. */
  readonly isOver: boolean;
  /** The link of a call; once, and the standby is the link's from then on. */
  link(options: LinkOptions): Link;
  /** Ends a standby that no call has had; resolves when nothing of it is left. */
  close(): Promise<void>;
}
