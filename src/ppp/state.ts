/**
 * What the reader tells: the state of one PPP link as plain JSON, and the events on the way to it. It is shown by
 * `pptpd-ts show` and travels on the session socket, so names and units are part of the interface.
 */
import type { CcpOptions, IpcpOptions, Ipv6cpOptions, LcpOptions, MppeOffer } from './options.js';

/** `server` is the pppd behind us. */
export type Side = 'client' | 'server';

/**
 * RFC 1661 §3.1's phases, with `up` for a link that carries network packets: IPCP, or IPV6CP where no IPCP is tried, is
 * agreed both ways. MPPE hides neither: it encrypts protocols 0x0021 to 0x00FA alone (RFC 3078 §3), so that IPCP
 * goes in the clear also on an encrypted link. `terminate` lasts from a Terminate-Request until LCP is agreed again.
 */
export type PppPhase = 'dead' | 'establish' | 'authenticate' | 'network' | 'up' | 'terminate';

/** One side's part of a negotiation. */
export type SideState<Options> = {
  /** What it last asked for; null: nothing seen. */
  readonly requested: Options | null;
  /** What its peer has agreed to; null: nothing yet. */
  readonly agreed: Options | null;
  /** Configure-Requests it has sent. */
  readonly requests: number;
  /** How many times in a row it has sent the same one again. */
  readonly repeats: number;
  /** Answers it has given to its peer's requests: Ack, Nak, Reject. */
  readonly answers: number;
};

export type NegotiationState<Options> = {
  /** Agreed both ways, and not closed or begun again since. */
  readonly open: boolean;
  /** The first Terminate-Request since it was last opened; null: none. */
  readonly termination: Termination | null;
  readonly client: SideState<Options>;
  readonly server: SideState<Options>;
};

/** One value for each direction of the tunnel. */
export type BothWays<Value> = { readonly toClient: Value; readonly fromClient: Value };

/** The client's login; the other way round (the client asks the server to log in) is not followed. */
export type AuthenticationState = {
  /** `PAP`, `CHAP-MD5`, `MS-CHAPv1`, `MS-CHAPv2`, `EAP`; null while none is agreed. */
  readonly protocol: string | null;
  /** The EAP method last asked for: `EAP-TLS`, `EAP-MS-CHAPv2`, …; null outside EAP. */
  readonly method: string | null;
  /** The name that our pppd gives itself in its challenge. */
  readonly serverName: string | null;
  readonly result: 'none' | 'pending' | 'succeeded' | 'failed';
  /** Challenges or requests that our pppd has sent, and answers or logins of the client; LCP that begins anew counts on. */
  readonly challenges: number;
  readonly responses: number;
  /** What our pppd has said with the result, as text; null when nothing. */
  readonly message: string | null;
  readonly failure: AuthenticationFailure | null;
};

export type AuthenticationFailure = {
  /** MS-CHAP's error code (RFC 2759 §6: 646-649, 691, 709); null for other protocols. */
  readonly code: number | null;
  /** The code in words, or that the login was refused. A peer is not told whether user or password was wrong. */
  readonly cause: string;
  /** What our pppd has said with it; null when nothing. */
  readonly message: string | null;
  /** Whether the client may try again on the same link. */
  readonly retry: boolean;
};

export type Addresses = {
  /** Our end of the tunnel, dotted quad; null when IPCP has agreed none. */
  readonly local: string | null;
  /** The client's. */
  readonly remote: string | null;
  /** Given to the client, primary first. */
  readonly dns: readonly string[];
  readonly wins: readonly string[];
};

export type Encryption =
  | {
      readonly method: 'mppe';
      /** Key length, bits; the shorter should the directions differ. */
      readonly bits: 40 | 56 | 128;
      readonly stateless: boolean;
      /**
       * The only direction that is encrypted; null: both are. Each side asks for what it wants to receive, and a
       * Linux client with `nomppe` asks for nothing while it agrees to encrypt what it sends.
       */
      readonly oneWay: 'toClient' | 'fromClient' | null;
    }
  | {
      readonly method: 'none';
      /** Who refused it; null when the agreed compression simply has none. */
      readonly refusedBy: Side | null;
    };

export type Refusal = {
  /** Who refused what its peer had asked for. */
  readonly by: Side;
  readonly protocol: string;
  /** The option's name; null: the protocol as a whole. */
  readonly option: string | null;
  /** A nak proposes another value and is usual; a reject wants none of it. */
  readonly how: 'nak' | 'reject';
  /** What the peer had asked for, as in `SideState.requested`; null when it had not named the option. */
  readonly asked: unknown;
  /** What a nak wants instead, in the same form; null with a reject. */
  readonly proposed: unknown;
};

export type Termination = {
  readonly by: Side;
  /** What the Terminate-Request says; empty when nothing. */
  readonly text: string;
  /** The error number that Windows puts there, as in its "Error 742"; null when none. */
  readonly windowsError: number | null;
};

/** Why a link never came up; told by `diagnose` in failure.ts. */
export type PppFailure =
  | {
      readonly reason: 'authenticationFailed';
      readonly user: string | null;
      readonly protocol: string | null;
      /** MS-CHAP's error code (RFC 2759 §6); null for other protocols. */
      readonly code: number | null;
      readonly cause: string;
      readonly message: string | null;
    }
  | {
      /** The client never answered our pppd's challenges, or never sent its name. */
      readonly reason: 'loginUnanswered';
      readonly protocol: string | null;
      readonly challenges: number;
    }
  | {
      /** The client wanted our pppd to log in to it, and did not accept the login. */
      readonly reason: 'serverLoginRefused';
      readonly protocol: string;
    }
  | {
      readonly reason: 'authProtocolRefused';
      readonly by: Side;
      readonly protocol: string | null;
      /** What it wants instead; null when it wants none. */
      readonly proposed: string | null;
    }
  | {
      /** One side wants MPPE, the other has none of it. */
      readonly reason: 'encryptionRefused';
      readonly by: Side;
      /** What the other side has asked for; null when it did not come to that. */
      readonly asked: MppeOffer | null;
    }
  | {
      /** Both sides want MPPE, but no key length, or no mode, that the other one takes. */
      readonly reason: 'encryptionModesDiffer';
      readonly client: MppeOffer;
      readonly server: MppeOffer;
    }
  | {
      /** A side requires MPPE and cannot do it itself: without keys from the login, or without its kernel. */
      readonly reason: 'encryptionUnavailable';
      readonly by: Side;
      /** How the client logged in, as in `AuthenticationState.protocol`. */
      readonly protocol: string | null;
      /** The server had to log in to the client as well. */
      readonly bothWays: boolean;
    }
  | {
      /** Our pppd has taken the login, and then found that this user may not have the address it was given. */
      readonly reason: 'addressNotAllowed';
      readonly user: string | null;
      readonly protocol: string | null;
      readonly address: string | null;
    }
  | {
      readonly reason: 'addressRefused';
      readonly by: Side;
      /** Whose address in the tunnel is refused; null when that does not show. */
      readonly whose: Side | null;
      readonly address: string | null;
      /** What `by` wants there; null when it does not say. */
      readonly proposed: string | null;
      /** What its IPCP Terminate-Request says; empty when nothing. */
      readonly text: string;
    }
  | {
      /** The login succeeded, and then our pppd asked in vain. */
      readonly reason: 'negotiationTimeout';
      readonly protocol: 'CCP' | 'IPCP';
      /** Configure-Requests that the client has not answered. */
      readonly requests: number;
    }
  | {
      /** The login succeeded, but this side never asked for IPv4. */
      readonly reason: 'noNetworkProtocol';
      readonly by: Side;
    }
  | {
      readonly reason: 'lcpTimeout';
      /** The direction in which frames get lost; null when it cannot be told. */
      readonly lost: 'toClient' | 'fromClient' | null;
      readonly clientRequests: number;
      readonly serverRequests: number;
    }
  | ({ readonly reason: 'terminated' } & Termination);

export type PppState = {
  readonly phase: PppPhase;
  /** Frames observed; the relay hands over control frames alone. */
  readonly frames: BothWays<number>;
  /** Frames that could not be parsed; they change nothing else. */
  readonly malformed: number;
  /** Milliseconds as given to `observe`; null: not yet. `up` keeps its time after the end. */
  readonly times: {
    readonly firstFrame: number | null;
    readonly linkOpened: number | null;
    readonly authenticated: number | null;
    readonly up: number | null;
    readonly terminated: number | null;
  };
  /** The name the client has given to log in, not proved before `authentication.result` is `succeeded`. */
  readonly user: string | null;
  readonly authentication: AuthenticationState;
  readonly addresses: Addresses | null;
  /** null: not negotiated so far, so none. */
  readonly encryption: Encryption | null;
  /** Characters to escape in each direction; 0xFFFFFFFF until LCP has agreed (RFC 1662 §7.1). */
  readonly accm: BothWays<number>;
  /** Largest packet in each direction, octets; 1500 until LCP has agreed (RFC 1661 §6.1). */
  readonly mru: BothWays<number>;
  readonly lcp: NegotiationState<LcpOptions>;
  readonly ipcp: NegotiationState<IpcpOptions>;
  readonly ipv6cp: NegotiationState<Ipv6cpOptions>;
  readonly ccp: NegotiationState<CcpOptions>;
  /** What was refused since the link last began, each once. */
  readonly refusals: readonly Refusal[];
  /**
   * LCP Identification (RFC 1570 §2.1): Windows tells its version and its computer's name, and since version 7 also 16
   * octets of binary data, shown as `0x…`.
   */
  readonly identification: readonly string[];
  /**
   * Why the link did not come up: settled by a Terminate-Request, before that a guess from what was seen so far. null:
   * nothing is wrong, the link is or was up, or the cause does not show.
   */
  readonly failure: PppFailure | null;
};

export type PppEvent =
  | {
      /** LCP is agreed both ways; it may come again when a side begins anew. */
      readonly type: 'linkOpened';
      readonly accm: BothWays<number>;
      readonly mru: BothWays<number>;
      readonly authentication: string | null;
    }
  | { readonly type: 'userKnown'; readonly user: string; readonly protocol: string | null }
  | {
      readonly type: 'authenticated';
      readonly user: string | null;
      readonly protocol: string | null;
      readonly message: string | null;
    }
  | ({
      readonly type: 'authenticationFailed';
      readonly user: string | null;
      readonly protocol: string | null;
    } & AuthenticationFailure)
  | { readonly type: 'encryption'; readonly encryption: Encryption }
  | {
      /** `by` cannot decrypt what it receives, see mppe-keys.ts; once until the link begins anew. */
      readonly type: 'mppeKeysDiffer';
      readonly by: Side;
    }
  | {
      /** Again when IPCP is agreed on a link that was up by IPV6CP alone, and after a side began anew. */
      readonly type: 'up';
      readonly addresses: Addresses | null;
      readonly encryption: Encryption | null;
    }
  | {
      /** The link will not come up; at most once until LCP opens again. */
      readonly type: 'failed';
      readonly failure: PppFailure;
      readonly text: string;
    }
  | ({ readonly type: 'terminated' } & Termination);
