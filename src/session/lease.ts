/**
 * What the manager lends a client for as long as its control connection lives: an address pair for pppd and the
 * call id by which the kernel tells this client's GRE packets from every other's.
 */
export interface Lease {
  /** Our end of the tunnel, dotted quad; null when pppd or RADIUS chooses (`addresses.delegate` without `local`). */
  readonly local: string | null;
  /** The client's end, dotted quad; null with `addresses.delegate`. PPP may agree on another one (SessionState's `tunnel`). */
  readonly remote: string | null;
  /** 1-65535, unpredictable, unique among the live sessions of the run directory (RFC 2637 §2.8 Call ID). */
  readonly callId: number;
}

/** An address and port of the client. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** As logs and errors write a peer: `192.0.2.7:40123`. */
export const peerText = (peer: Peer): string => `${peer.address}:${peer.port}`;
