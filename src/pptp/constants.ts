/** Constants of RFC 2637 other than message layout: the port, the header's fixed values, and the timers. */

/** The TCP port of the control connection (§1.4). */
export const TCP_PORT = 1723;

/** Part of every message. A receiver that reads another value has lost synchronization (§1.4). */
export const MAGIC_COOKIE = 0x1a2b3c4d;

/** Version 1, revision 0: version in the high octet, revision in the low one (§1.4). */
export const PROTOCOL_VERSION = 0x0100;

/** PPTP Message Type: 1 is a control message. The RFC does not define 2 (management) any further (§1.4). */
export const CONTROL_MESSAGE = 1;

/** Length of the header that all messages share, including Control Message Type and Reserved0 (§2), octets. */
export const HEADER_LENGTH = 12;

/**
 * The longest accepted message of a known type, octets: the RFC's longest (§2.9), which is also pptpd's limit. Octets
 * beyond a message's own length are ignored.
 */
export const MAX_KNOWN_LENGTH = 220;

/**
 * The longest message of an unknown type that is skipped, octets. A greater length more likely means lost
 * synchronization than a protocol extension.
 */
export const MAX_UNKNOWN_LENGTH = 1024;

/** Timers of the RFC for an established connection, seconds (§3.1.4). */
export const RFC_TIMERS = {
  /** Silence before an Echo-Request is sent. */
  echoInterval: 60,
  /** Time for an Echo-Reply to arrive before the connection is closed. */
  echoReply: 60,
} as const;
