/**
 * How the frames of a call travel between the client and an interface, as the link of the builtin engine uses it. The link
 * speaks PPP and decides; a path carries data and control frames, encrypts, and knows no PPP state but what it is told.
 */
import type { FrameTap, RelayEvent } from '../../gre/relay.js';
import type { MppeBits, MppeMode } from '../../mschap/mppe.js';
import type { StartKeys } from '../../mschap/start-keys.js';
import type { EndCause } from '../end-cause.js';
import type { LinkCounters, LinkKind, LinkOptions } from '../link.js';
import type { SessionMonitor } from './session-monitor.js';

export type DataPathEvent =
  | Extract<RelayEvent, { type: 'control' | 'blackHole' }>
  /** Encrypted packets were lost: the client must be asked to reset. Emitted for each packet that is dropped. */
  | { readonly type: 'resetNeeded' }
  /** So many packets were nonsense to the cipher that the link must be ended. */
  | { readonly type: 'fatal' }
  /** A data frame of a protocol that nobody knows, and what follows its protocol field; valid during the call only. */
  | { readonly type: 'unknownProtocol'; readonly protocol: number; readonly information: Uint8Array }
  /** The path failed. Emitted at most once, never after `close`; `close` must still be called. */
  | { readonly type: 'ended'; readonly cause: EndCause };

/** A path that cannot be opened. `isCallTaken`: another path may carry this call. */
export class PathNotOpened extends Error {
  readonly endCause: EndCause;
  readonly isCallTaken: boolean;

  constructor(endCause: EndCause, isCallTaken = false) {
    super(endCause.kind);
    this.endCause = endCause;
    this.isCallTaken = isCallTaken;
  }
}

export interface DataPathOptions {
  readonly monitor: SessionMonitor;
  readonly call: Pick<
    LinkOptions,
    'configuration' | 'peerAddress' | 'localAddress' | 'localCallId' | 'peerCallId' | 'peerWindow'
  >;
  readonly onEvent: (event: DataPathEvent) => void;
}

/** How frames to the client are written: what it agreed to by LCP (RFC 1661 §6.5, §6.6). */
export interface Framing {
  readonly compressProtocol: boolean;
  readonly compressAddress: boolean;
}

/** The network protocols that are up. */
export interface Network {
  /** IPCP: the client's address, an unsigned 32-bit number; null: not up. */
  readonly client: number | null;
  /** IPV6CP is up. */
  readonly ipv6: boolean;
  /** The longest IP packet for the client, octets. */
  readonly mtu: number;
}

export interface DataPath {
  readonly kind: Exclude<LinkKind, 'pppd'>;
  /** Key lengths of MPPE that it can use. */
  readonly keyLengths: readonly MppeBits[];

  /** Opens the interface and what carries GRE; returns the interface's name. Rejects with PathNotOpened. */
  open(options: DataPathOptions): Promise<string>;
  /** Queues a control frame, which has address and control fields; `flush` sends it. */
  send(frame: Uint8Array): void;
  flush(): void;
  setFraming(framing: Framing): void;
  /** Whether data frames that are not encrypted are dropped, in both directions; initially they are. */
  setRequireEncryption(isRequired: boolean): void;
  /** The login has given keys, which MPPE may use from now on. */
  setKeys(keys: StartKeys): void;
  /** CCP is open: from now on data is encrypted. */
  encrypt(toClient: MppeMode, fromClient: MppeMode): void;
  stopEncryption(): void;
  /** The client has lost packets: the next one to it must be one that it can decrypt. A CCP Reset-Ack follows. */
  flushNext(): void;
  /** null: no network protocol is up; initially none is. */
  setNetwork(network: Network | null): void;
  /** See Link. */
  holdBack(isHeld: boolean): void;
  setTap(tap: FrameTap | null): void;
  counters(): LinkCounters | null;
  countStrays(): void;
  /** Idempotent. */
  close(): void;
}
