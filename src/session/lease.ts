/**
 * What a client holds as long as its control connection exists: an address pair for pppd, and the call id by which the
 * kernel tells this client's GRE packets from all others.
 */
export interface Lease {
  /** The server's end of the tunnel, dotted quad; null when pppd or RADIUS chooses (`addresses.delegate` without `local`). */
  readonly local: string | null;
  /** The client's end, dotted quad; null with `addresses.delegate`. PPP may negotiate another one (`tunnel` in SessionState). */
  readonly remote: string | null;
  /** 1-65535, unpredictable, unique among the live sessions of the run directory (RFC 2637 §2.8 Call ID). */
  readonly callId: number;
}

/** The client's address and port. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** As logs and errors write a peer: `192.0.2.7:40123`. */
export const peerText = (peer: Peer): string => `${peer.address}:${peer.port}`;
