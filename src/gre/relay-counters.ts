import type { HeaderFault } from './header.js';

/** What a relay has counted since its start: plain numbers, which can be sent and shown as they are. */
export type RelayCounters = {
  /** PPP frames from the client that the port has accepted, and their octets. */
  rxPackets: number;
  rxBytes: number;
  /** PPP frames that were passed to the socket for the client, and their octets. */
  txPackets: number;
  txBytes: number;

  /** GRE packets dropped because of their header (RFC 2637 §4.1), counted by the first check that failed. */
  rxTooShort: number;
  rxWrongVersion: number;
  rxWrongProtocol: number;
  rxWrongFlags: number;
  rxWrongCallId: number;
  rxTruncated: number;
  rxNoSequence: number;
  /** The payload is longer than the longest frame. */
  rxTooLong: number;
  /** A sequence number without payload. */
  rxEmpty: number;
  /** Dropped because of the sequence number: late, duplicate, or outside the window. */
  rxLate: number;
  rxDuplicate: number;
  rxOutsideWindow: number;
  /** Arrived before a missing packet and was held until its turn. */
  rxHeld: number;
  /** Lost, or arrived after it was given up. */
  rxLost: number;
  /** How often the window was moved to the client's new sequence numbers. */
  rxResyncs: number;
  /** Dropped by the kernel because they were not read in time. */
  rxSocketFull: number;
  /** Dropped because pppd does not read its pty fast enough. */
  rxPtyFull: number;

  /** Frames from the pty that were dropped: wrong checksum, under 3 octets, too long, aborted. */
  ptyBadFcs: number;
  ptyTooShort: number;
  ptyTooLong: number;
  ptyAborted: number;
  /** Dropped because the socket's queue was full, or because the system refused to send them. */
  txSocketFull: number;
  txRefused: number;

  /**
   * Data frames from the client that the TUN port dropped: the network protocol or the encryption was not yet or no
   * longer up; not encrypted although encryption is required; not decryptable; not an IP packet; of an unknown
   * protocol; refused by the TUN device.
   */
  rxNotReady: number;
  rxUnencrypted: number;
  rxUndecryptable: number;
  rxMalformed: number;
  rxUnknownProtocol: number;
  rxTunRefused: number;
  /** IP packets from the client, passed on, whose source is not the agreed address. */
  rxForeignSource: number;
  /** TCP segments from the client that were joined to an earlier one. */
  rxJoined: number;
  /** TCP acknowledgments without data from the client that were left out, since a later one of the same batch says more. */
  rxSuperseded: number;
  /**
   * Packets from the TUN device that were dropped: before or after the network protocol or the encryption was up; longer
   * than the client accepts; with an impossible offload header. Control frames dropped because too many were queued.
   */
  txNotReady: number;
  txTooLong: number;
  txBadOffload: number;
  txControlFull: number;
  /** TCP segments for the client that were cut from super packets. */
  txCut: number;

  /**
   * Acknowledgments from the client, and those of them for packets that were never sent; acknowledgments sent alone,
   * and sent with data.
   */
  acksReceived: number;
  acksImpossible: number;
  acksSentAlone: number;
  acksSentWithData: number;
  /** ICMP errors received for sent packets, such as host or protocol unreachable. */
  icmpErrors: number;

  /** §4.2: congestion window and unacknowledged packets; how often the window was reduced; packets sent beyond it. */
  window: number;
  outstanding: number;
  windowTimeouts: number;
  windowExceeded: number;
  /** §4.4: round-trip time and adaptive time-out, ms; 0 before the first measurement. */
  roundTrip: number;
  timeout: number;
};

/** The counters of a TUN port at 0. */
export const noneCountedByTun = () => ({
  rxNotReady: 0,
  rxUnencrypted: 0,
  rxUndecryptable: 0,
  rxMalformed: 0,
  rxUnknownProtocol: 0,
  rxTunRefused: 0,
  rxForeignSource: 0,
  rxJoined: 0,
  rxSuperseded: 0,
  txNotReady: 0,
  txTooLong: 0,
  txBadOffload: 0,
  txControlFull: 0,
  txCut: 0,
});
/** The counter of each fault of a header. */
export const FAULT_COUNTERS = {
  tooShort: 'rxTooShort',
  wrongVersion: 'rxWrongVersion',
  wrongProtocol: 'rxWrongProtocol',
  wrongFlags: 'rxWrongFlags',
  wrongCallId: 'rxWrongCallId',
  truncated: 'rxTruncated',
  noSequence: 'rxNoSequence',
} as const satisfies Record<HeaderFault, keyof RelayCounters>;

/** Every counter at 0. */
export const noneCounted = (): RelayCounters => ({
  rxPackets: 0,
  rxBytes: 0,
  txPackets: 0,
  txBytes: 0,
  rxTooShort: 0,
  rxWrongVersion: 0,
  rxWrongProtocol: 0,
  rxWrongFlags: 0,
  rxWrongCallId: 0,
  rxTruncated: 0,
  rxNoSequence: 0,
  rxTooLong: 0,
  rxEmpty: 0,
  rxLate: 0,
  rxDuplicate: 0,
  rxOutsideWindow: 0,
  rxHeld: 0,
  rxLost: 0,
  rxResyncs: 0,
  rxSocketFull: 0,
  rxPtyFull: 0,
  ptyBadFcs: 0,
  ptyTooShort: 0,
  ptyTooLong: 0,
  ptyAborted: 0,
  txSocketFull: 0,
  txRefused: 0,
  ...noneCountedByTun(),
  acksReceived: 0,
  acksImpossible: 0,
  acksSentAlone: 0,
  acksSentWithData: 0,
  icmpErrors: 0,
  window: 0,
  outstanding: 0,
  windowTimeouts: 0,
  windowExceeded: 0,
  roundTrip: 0,
  timeout: 0,
});
