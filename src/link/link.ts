/**
 * One call's PPP and the path of its frames, from the Outgoing-Call-Request until the call ends. Code above a link does
 * not know which implementation it uses (ARCHITECTURE.md, "Links").
 */
import type { Configuration } from '../config/schema.js';
import type { RelayCounters } from '../gre/relay-counters.js';
import type { FrameTap } from '../gre/relay.js';
import type { LinkKind } from '../host/ppp-engine.js';
import type { ProcessIdentity } from '../host/process.js';
import type { PppEvent, PppState } from '../ppp/reader.js';
import type { Speed } from '../monitor/limited-device.js';
import type { WireLimits } from '../monitor/protocol.js';
import type { EndCause } from './end-cause.js';

/** What a link counts. What it cannot know is not there, and then shown as not known; the traffic is: PPP frames and their octets. */
export type LinkCounters = Partial<RelayCounters> &
  Pick<RelayCounters, 'rxPackets' | 'rxBytes' | 'txPackets' | 'txBytes'>;

export type LinkEvent =
  /** PPP is running: the client can be told that the call is connected. Emitted at most once. */
  | { readonly type: 'ready' }
  /** A step of the PPP negotiation. */
  | { readonly type: 'ppp'; readonly event: PppEvent }
  /** Long frames to the client are lost, while frames of up to `arrives` octets arrive. Emitted at most once. */
  | { readonly type: 'blackHole'; readonly arrives: number; readonly missing: number }
  /** The call cannot be carried as it should be, and is carried otherwise. Emitted at most once, before `ready`. */
  | { readonly type: 'fellBack'; readonly from: LinkKind; readonly to: LinkKind; readonly because: string }
  /** The link failed or ended by itself. Emitted at most once, never after `close`; `close` must still be called. */
  | { readonly type: 'ended'; readonly cause: EndCause };

export type { LinkKind } from '../host/ppp-engine.js';

export interface LinkOptions {
  readonly configuration: Pick<Configuration, 'ppp' | 'pppd' | 'listen' | 'gre' | 'timeouts' | 'radius'>;
  /** The session's id. */
  readonly session: string;
  /** The addresses that PPP is to negotiate, dotted quads; null: pppd gets them elsewhere. */
  readonly tunnel: { readonly local: string | null; readonly remote: string | null };
  /** The client's address, and the local one that it connected to. */
  readonly peerAddress: string;
  readonly localAddress: string;
  /** The call id in the client's GRE packets, and the one in packets to the client. */
  readonly localCallId: number;
  readonly peerCallId: number;
  /** The client's receive window, packets. */
  readonly peerWindow: number;
  readonly onEvent: (event: LinkEvent) => void;
}

/** See `limits` in session/state. */
export type LinkLimits = WireLimits;

export interface LinkClose {
  /** The client is gone, or must get nothing more through the tunnel. */
  readonly peerGone: boolean;
  /** Acct-Terminate-Cause (RFC 2866 §5.10), for a link that is accounted by RADIUS. */
  readonly terminateCause?: number;
}

export interface Link {
  readonly kind: LinkKind;
  /** The process that must not outlive the session; null if there is none. */
  readonly process: ProcessIdentity | null;
  readonly ppp: PppState;

  /** What the client's account lets the session do; null before the login, and for an account that says nothing of it. */
  readonly limits: LinkLimits | null;

  /** Call it once. Never throws: a failure is reported as an event, possibly before `start` returns. */
  start(): void;
  /** The tunnel's network interface, such as `ppp0`; null while it is not known. */
  interfaceName(): string | null;
  /** The speed limits that the kernel applies to that interface now; null: none, or not known. */
  speed(): Speed | null;
  /** Sets the send ACCM from a Set-Link-Info (RFC 2637 §2.15), bit n for octet n. It is added to the negotiated one. */
  setSendAccm(accm: number): void;
  /** Stops or resumes sending to the client; what the client sends is received as before. */
  holdBack(isHeld: boolean): void;
  /** Passes every PPP frame to `tap`; null removes the tap. */
  setTap(tap: FrameTap | null): void;
  /** The counters; after `close`, the final values; null before there are any. */
  counters(): LinkCounters | null;
  /**
   * Adds stray packets to the counters: those from the client's address that do not belong to this call. It has an
   * effect only until the client's first frame, and serves to explain why that frame is missing.
   */
  countStrays(): void;
  /**
   * Ends the link; resolves when it is fully closed. Idempotent. Unless `peerGone`, PPP first terminates the connection
   * with the client, which takes some seconds if the client does not answer.
   */
  close(options: LinkClose): Promise<void>;
}

/** The resources of a link that are slow to create, prepared before a client connects. */
export interface Standby {
  /** See Link; valid before there is a call. */
  readonly process: ProcessIdentity | null;
  /** The standby has ended and cannot become a link. */
  readonly isOver: boolean;
  /** Creates the link of a call. Call it once; the link then owns the standby. */
  link(options: LinkOptions): Link;
  /** Ends an unused standby; resolves when it is fully closed. */
  close(): Promise<void>;
}
