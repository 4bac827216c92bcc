/**
 * The fixed numbers of RFC 2637 that are not message layout: where clients connect, what every message begins with,
 * and the timers that the RFC names.
 */

/** The TCP port of the control connection (§1.4). */
export const TCP_PORT = 1723;

/** In every message; a receiver that reads anything else has lost synchronisation (§1.4). */
export const MAGIC_COOKIE = 0x1a2b3c4d;

/** Version 1, revision 0: version in the high octet, revision in the low one (§1.4). */
export const PROTOCOL_VERSION = 0x0100;

/** PPTP Message Type: 1 is a control message; 2, management, is not defined any further (§1.4). */
export const CONTROL_MESSAGE = 1;

/** Octets of the header with Control Message Type and Reserved0, which all messages share (§2). */
export const HEADER_LENGTH = 12;

/**
 * The longest message of a known type that is accepted, in octets: the RFC's longest (§2.9), which is pptpd's limit too. Octets
 * beyond a message's own length are not looked at.
 */
export const MAX_KNOWN_LENGTH = 220;

/**
 * The longest message of an unknown type that is skipped, in octets. A length far past that is more likely lost
 * synchronisation than a protocol extension.
 */
export const MAX_UNKNOWN_LENGTH = 1024;

/** Timers of the RFC, in seconds. */
export const RFC_TIMERS = {
  /** A connection without a start request or reply is closed (§3.1.4, first case). */
  start: 60,
  /** An established connection without any message is sent an Echo-Request (§3.1.4, second case). */
  echoInterval: 60,
  /** An Echo-Request without a reply closes the connection (§3.1.4, second case). */
  echoReply: 60,
  /** Any other reply that is awaited closes the connection (§3). */
  reply: 60,
} as const;
