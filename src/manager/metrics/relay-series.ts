/**
 * The metric of each growing counter of the relay. The names are those of src/gre's counters; a worker of another version may
 * lack some or have others, which are ignored.
 */

/** The metrics that sum the relays' counters: name, help, and the label if there is one. */
export const RELAY_METRICS = {
  pptpd_tunnel_packets_total: { help: 'PPP frames carried', label: 'direction' },
  pptpd_tunnel_bytes_total: { help: 'Octets of the PPP frames carried', label: 'direction' },
  pptpd_dropped_packets_total: { help: 'Packets and frames dropped, by the counter that says why', label: 'reason' },
  pptpd_lost_packets_total: { help: 'GRE packets from clients that never arrived, or too late', label: null },
  pptpd_reordered_packets_total: {
    help: 'GRE packets from clients that arrived early and were held',
    label: null,
  },
  pptpd_resyncs_total: {
    help: "Times that a receive window followed a jump of a client's sequence numbers",
    label: null,
  },
  pptpd_foreign_source_packets_total: {
    help: 'IP packets of clients, passed on, whose source is not the agreed address',
    label: null,
  },
  pptpd_offloaded_segments_total: {
    help: 'TCP segments that the TUN path joined (fromClient) or cut from super packets (toClient)',
    label: 'direction',
  },
  pptpd_superseded_acknowledgments_total: {
    help: 'TCP acknowledgments from clients that the TUN path left out because a later one says more',
    label: null,
  },
  pptpd_acknowledgments_total: { help: 'GRE acknowledgments', label: 'kind' },
  pptpd_icmp_errors_total: { help: 'ICMP errors received for our packets', label: null },
  pptpd_window_timeouts_total: {
    help: 'Times that an acknowledgment was overdue and a send window shrank',
    label: null,
  },
  pptpd_window_exceeded_total: { help: "GRE packets sent beyond a client's window", label: null },
} as const;

export type RelayMetric = keyof typeof RELAY_METRICS;

interface Series {
  readonly metric: RelayMetric;
  /** The value of the metric's label. */
  readonly value?: string;
}

const dropped = (reason: string): Series => ({ metric: 'pptpd_dropped_packets_total', value: reason });

/** By the counter's name; null: a momentary value, which is not summed. */
export const RELAY_SERIES: Readonly<Record<string, Series | null>> = {
  rxPackets: { metric: 'pptpd_tunnel_packets_total', value: 'fromClient' },
  rxBytes: { metric: 'pptpd_tunnel_bytes_total', value: 'fromClient' },
  txPackets: { metric: 'pptpd_tunnel_packets_total', value: 'toClient' },
  txBytes: { metric: 'pptpd_tunnel_bytes_total', value: 'toClient' },
  rxTooShort: dropped('rxTooShort'),
  rxWrongVersion: dropped('rxWrongVersion'),
  rxWrongProtocol: dropped('rxWrongProtocol'),
  rxWrongFlags: dropped('rxWrongFlags'),
  rxWrongCallId: dropped('rxWrongCallId'),
  rxTruncated: dropped('rxTruncated'),
  rxNoSequence: dropped('rxNoSequence'),
  rxTooLong: dropped('rxTooLong'),
  rxEmpty: dropped('rxEmpty'),
  rxLate: dropped('rxLate'),
  rxDuplicate: dropped('rxDuplicate'),
  rxOutsideWindow: dropped('rxOutsideWindow'),
  rxSocketFull: dropped('rxSocketFull'),
  rxPtyFull: dropped('rxPtyFull'),
  ptyBadFcs: dropped('ptyBadFcs'),
  ptyTooShort: dropped('ptyTooShort'),
  ptyTooLong: dropped('ptyTooLong'),
  ptyAborted: dropped('ptyAborted'),
  txSocketFull: dropped('txSocketFull'),
  txRefused: dropped('txRefused'),
  rxNotReady: dropped('rxNotReady'),
  rxUnencrypted: dropped('rxUnencrypted'),
  rxUndecryptable: dropped('rxUndecryptable'),
  rxMalformed: dropped('rxMalformed'),
  rxUnknownProtocol: dropped('rxUnknownProtocol'),
  rxTunRefused: dropped('rxTunRefused'),
  txNotReady: dropped('txNotReady'),
  txTooLong: dropped('txTooLong'),
  txBadOffload: dropped('txBadOffload'),
  txControlFull: dropped('txControlFull'),
  rxForeignSource: { metric: 'pptpd_foreign_source_packets_total' },
  rxJoined: { metric: 'pptpd_offloaded_segments_total', value: 'fromClient' },
  rxSuperseded: { metric: 'pptpd_superseded_acknowledgments_total' },
  txCut: { metric: 'pptpd_offloaded_segments_total', value: 'toClient' },
  rxLost: { metric: 'pptpd_lost_packets_total' },
  rxHeld: { metric: 'pptpd_reordered_packets_total' },
  rxResyncs: { metric: 'pptpd_resyncs_total' },
  acksReceived: { metric: 'pptpd_acknowledgments_total', value: 'received' },
  acksImpossible: { metric: 'pptpd_acknowledgments_total', value: 'impossible' },
  acksSentAlone: { metric: 'pptpd_acknowledgments_total', value: 'sentAlone' },
  acksSentWithData: { metric: 'pptpd_acknowledgments_total', value: 'sentWithData' },
  icmpErrors: { metric: 'pptpd_icmp_errors_total' },
  windowTimeouts: { metric: 'pptpd_window_timeouts_total' },
  windowExceeded: { metric: 'pptpd_window_exceeded_total' },
  window: null,
  outstanding: null,
  roundTrip: null,
  timeout: null,
};
