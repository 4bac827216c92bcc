/**
 * The reader's output: the state of one PPP link as plain JSON, and its events. `pptpd-ts show` prints the state and the session
 * socket carries it, so names and units are part of the interface.
 */
import type { CcpOptions, IpcpOptions, Ipv6cpOptions, LcpOptions, MppeOffer } from './options.js';

/** `server`: pppd or the builtin engine. */
export type Side = 'client' | 'server';

/**
 * The phases of RFC 1661 §3.1, and `up` for a link that carries network packets: IPCP, or IPV6CP without IPCP, is agreed both
 * ways. Both are visible on an encrypted link too, because MPPE encrypts only protocols 0x0021 to 0x00FA (RFC 3078 §3).
 * `terminate` lasts from a Terminate-Request until LCP is agreed again.
 */
export type PppPhase = 'dead' | 'establish' | 'authenticate' | 'network' | 'up' | 'terminate';

/** One side's part of a negotiation. */
export type SideState<Options> = {
  /** What it requested last; null: nothing seen. */
  readonly requested: Options | null;
  /** What its peer agreed to; null: nothing yet. */
  readonly agreed: Options | null;
  /** Configure-Requests that it sent. */
  readonly requests: number;
  /** How many times in a row it repeated the last one. */
  readonly repeats: number;
  /** Its answers to its peer's requests: Ack, Nak, Reject. */
  readonly answers: number;
};

export type NegotiationState<Options> = {
  /** Agreed both ways, and not closed or restarted since. */
  readonly open: boolean;
  /** The first Terminate-Request since it was last opened; null: none. */
  readonly termination: Termination | null;
  readonly client: SideState<Options>;
  readonly server: SideState<Options>;
};

/** One value for each direction of the tunnel. */
export type BothWays<Value> = { readonly toClient: Value; readonly fromClient: Value };

/** The client's login. A login of the server to the client is not followed. */
export type AuthenticationState = {
  /** `PAP`, `CHAP-MD5`, `MS-CHAPv1`, `MS-CHAPv2`, `EAP`; null while none is agreed. */
  readonly protocol: string | null;
  /** The last requested EAP method: `EAP-TLS`, `EAP-MS-CHAPv2`, …; null outside EAP. */
  readonly method: string | null;
  /** The server's name in its challenge. */
  readonly serverName: string | null;
  readonly result: 'none' | 'pending' | 'succeeded' | 'failed';
  /** Challenges or requests of the server, and answers or logins of the client; both continue when LCP begins again. */
  readonly challenges: number;
  readonly responses: number;
  /** The server's message with the result; null: none. */
  readonly message: string | null;
  readonly failure: AuthenticationFailure | null;
};

export type AuthenticationFailure = {
  /** MS-CHAP's error code (RFC 2759 §6: 646-649, 691, 709); null for other protocols. */
  readonly code: number | null;
  /** The code in words, or that the login was refused. A peer does not learn whether user name or password was wrong. */
  readonly cause: string;
  /** The server's message with it; null: none. */
  readonly message: string | null;
  /** Whether the client may try again on the same link. */
  readonly retry: boolean;
};

export type Addresses = {
  /** The server's end of the tunnel, dotted quad; null: IPCP agreed none. */
  readonly local: string | null;
  /** The client's. */
  readonly remote: string | null;
  /** Assigned to the client, primary first. */
  readonly dns: readonly string[];
  readonly wins: readonly string[];
};

export type Encryption =
  | {
      readonly method: 'mppe';
      /** Key length in bits; the shorter one if the directions differ. */
      readonly bits: 40 | 56 | 128;
      readonly stateless: boolean;
      /**
       * The only encrypted direction; null: both are encrypted. Each side requests what it wants to receive; a Linux client with
       * `nomppe` requests nothing, but agrees to encrypt what it sends.
       */
      readonly oneWay: 'toClient' | 'fromClient' | null;
    }
  | {
      readonly method: 'none';
      /** Who refused it; null: nobody, the agreed compression has no encryption. */
      readonly refusedBy: Side | null;
    };

export type Refusal = {
  /** Who refused a request of its peer. */
  readonly by: Side;
  readonly protocol: string;
  /** The option's name; null: the protocol as a whole. */
  readonly option: string | null;
  /** A Nak proposes another value, which is usual; a Reject does not accept the option at all. */
  readonly how: 'nak' | 'reject';
  /** What the peer requested, as in `SideState.requested`; null: it had not named the option. */
  readonly asked: unknown;
  /** What a Nak proposes instead, in the same form; null with a Reject. */
  readonly proposed: unknown;
};

export type Termination = {
  readonly by: Side;
  /** The text of the Terminate-Request; empty: none. */
  readonly text: string;
  /** The error number of Windows, as in its "Error 742"; null: none. */
  readonly windowsError: number | null;
};

/** Why a link never came up; diagnosed in failure.ts. */
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
      /** The client never answered the server's challenges, or never sent its name. */
      readonly reason: 'loginUnanswered';
      readonly protocol: string | null;
      readonly challenges: number;
    }
  | {
      /** The client wanted the server to log in to it, and did not accept the login. */
      readonly reason: 'serverLoginRefused';
      readonly protocol: string;
    }
  | {
      readonly reason: 'authProtocolRefused';
      readonly by: Side;
      readonly protocol: string | null;
      /** The protocol that it wants instead; null: none. */
      readonly proposed: string | null;
    }
  | {
      /** One side wants MPPE, and the other refuses it. */
      readonly reason: 'encryptionRefused';
      readonly by: Side;
      /** What the other side requested; null: it requested none before the end. */
      readonly asked: MppeOffer | null;
    }
  | {
      /** Both sides want MPPE, but have no key length or mode in common. */
      readonly reason: 'encryptionModesDiffer';
      readonly client: MppeOffer;
      readonly server: MppeOffer;
    }
  | {
      /** A side requires MPPE but cannot provide it: it has no keys from the login, or its kernel has no MPPE. */
      readonly reason: 'encryptionUnavailable';
      readonly by: Side;
      /** How the client logged in, as in `AuthenticationState.protocol`. */
      readonly protocol: string | null;
      /** The server had to log in to the client as well. */
      readonly bothWays: boolean;
    }
  | {
      /** The server accepted the login, but does not allow this user the assigned address; `address` null: or any address. */
      readonly reason: 'addressNotAllowed';
      readonly user: string | null;
      readonly protocol: string | null;
      readonly address: string | null;
    }
  | {
      readonly reason: 'addressRefused';
      readonly by: Side;
      /** Whose address in the tunnel is refused; null: unknown. */
      readonly whose: Side | null;
      readonly address: string | null;
      /** What `by` wants instead; null: it did not say. */
      readonly proposed: string | null;
      /** The text of its IPCP Terminate-Request; empty: none. */
      readonly text: string;
    }
  | {
      /** The login succeeded, but then the client did not answer the server's requests. */
      readonly reason: 'negotiationTimeout';
      readonly protocol: 'CCP' | 'IPCP';
      /** Configure-Requests that the client did not answer. */
      readonly requests: number;
    }
  | {
      /** The login succeeded, but this side never requested IPv4. */
      readonly reason: 'noNetworkProtocol';
      readonly by: Side;
    }
  | {
      readonly reason: 'lcpTimeout';
      /** The direction in which frames get lost; null: unknown. */
      readonly lost: 'toClient' | 'fromClient' | null;
      readonly clientRequests: number;
      readonly serverRequests: number;
    }
  | ({ readonly reason: 'terminated' } & Termination);

export type PppState = {
  readonly phase: PppPhase;
  /** Observed frames; the relay passes only control frames to the reader. */
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
  /** The name that the client sent to log in, not verified until `authentication.result` is `succeeded`. */
  readonly user: string | null;
  readonly authentication: AuthenticationState;
  readonly addresses: Addresses | null;
  /** null: not negotiated yet, so the link is not encrypted. */
  readonly encryption: Encryption | null;
  /** Characters to escape in each direction; 0xFFFFFFFF until LCP is agreed (RFC 1662 §7.1). */
  readonly accm: BothWays<number>;
  /** The largest packet in each direction, in octets; 1500 until LCP is agreed (RFC 1661 §6.1). */
  readonly mru: BothWays<number>;
  readonly lcp: NegotiationState<LcpOptions>;
  readonly ipcp: NegotiationState<IpcpOptions>;
  readonly ipv6cp: NegotiationState<Ipv6cpOptions>;
  readonly ccp: NegotiationState<CcpOptions>;
  /** What was refused since LCP last began, each once. */
  readonly refusals: readonly Refusal[];
  /**
   * LCP Identification (RFC 1570 §2.1): Windows sends its version and its computer's name, and since version 7 also 16 octets of
   * binary data, shown as `0x…`.
   */
  readonly identification: readonly string[];
  /**
   * Why the link did not come up: final after a Terminate-Request, before that a guess from what was seen so far. null: nothing
   * is wrong, the link is or was up, or the cause is not visible.
   */
  readonly failure: PppFailure | null;
};

export type PppEvent =
  | {
      /** LCP is agreed both ways; emitted again if a side restarts it. */
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
      /** `by` cannot decrypt what it receives, see mppe-keys.ts; emitted once until LCP begins again. */
      readonly type: 'mppeKeysDiffer';
      readonly by: Side;
    }
  | {
      /** Emitted again when IPCP is agreed on a link that was up with only IPV6CP, and after a restart of the negotiation. */
      readonly type: 'up';
      readonly addresses: Addresses | null;
      readonly encryption: Encryption | null;
    }
  | {
      /** The link will not come up; emitted at most once until LCP opens again. */
      readonly type: 'failed';
      readonly failure: PppFailure;
    }
  | ({ readonly type: 'terminated' } & Termination);
