/** What a relay has counted since its start; numbers only, so that they can be sent and shown as they are. */
export type RelayCounters = {
  /** PPP frames from the client that were given to the pty, and their octets. */
  rxPackets: number;
  rxBytes: number;
  /** PPP frames that were handed to the socket for the client, and their octets. */
  txPackets: number;
  txBytes: number;

  /** GRE packets that failed a check of their header (RFC 2637 §4.1), by the first one that they failed. */
  rxTooShort: number;
  rxWrongVersion: number;
  rxWrongProtocol: number;
  rxWrongFlags: number;
  rxWrongCallId: number;
  rxTruncated: number;
  rxNoSequence: number;
  /** Longer than any frame that we can take. */
  rxTooLong: number;
  /** With a sequence number and no payload. */
  rxEmpty: number;
  /** In order of sequence: came after its turn, came twice, came from outside of the window. */
  rxLate: number;
  rxDuplicate: number;
  rxOutsideWindow: number;
  /** Came before one that was missing, and was held for its turn. */
  rxHeld: number;
  /** Never came, or came too late. */
  rxLost: number;
  /** Times the window was moved to where the client's numbers had gone. */
  rxResyncs: number;
  /** Dropped by the kernel: we did not fetch them in time. */
  rxSocketFull: number;
  /** Dropped because pppd does not read its pty fast enough. */
  rxPtyFull: number;

  /** Frames from the pty that were dropped: wrong checksum, under 3 octets, too long, broken off. */
  ptyBadFcs: number;
  ptyTooShort: number;
  ptyTooLong: number;
  ptyAborted: number;
  /** Dropped because the socket's queue was full, or the system refused them. */
  txSocketFull: number;
  txRefused: number;

  /** Acknowledgments from the client, those for packets that we have not sent, those that we sent alone and with data. */
  acksReceived: number;
  acksImpossible: number;
  acksSentAlone: number;
  acksSentWithData: number;
  /** ICMP errors that came for our packets: the client's end of the tunnel is out of reach, or closed. */
  icmpErrors: number;

  /** §4.2: the congestion window and the packets now unacknowledged; times it closed; packets sent beyond it. */
  window: number;
  outstanding: number;
  windowTimeouts: number;
  windowExceeded: number;
  /** §4.4: round-trip time and adaptive time-out, ms; 0 before anything was measured. */
  roundTrip: number;
  timeout: number;
};

/** All of them: a relay that has counted nothing. */
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
