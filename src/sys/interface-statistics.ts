/** What went through network interfaces, in 64 bits, from rtnetlink(7): RTM_GETSTATS. Needs no privilege. */
import { attribute, attributesOf, HEADER, newRequest, RtnetlinkSocket } from './rtnetlink.js';

// linux/rtnetlink.h, linux/if_link.h
const RTM_NEWSTATS = 92;
const RTM_GETSTATS = 94;
const IFLA_STATS_LINK_64 = 1;
/** struct if_stats_msg. */
const STATS = 12;
const INDEX_AT = HEADER + 4;
const FILTER_AT = HEADER + 8;
/** struct rtnl_link_stats64: the first four fields. */
const FIELDS_LENGTH = 32;

/** As the kernel counts: packets and octets that the interface has received and sent. */
export interface InterfaceTraffic {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

export class InterfaceStatistics {
  readonly #socket = new RtnetlinkSocket('open a socket to read statistics');
  readonly #request = newRequest(RTM_GETSTATS, 0, STATS);

  constructor() {
    this.#request.writeUInt32LE(1 << (IFLA_STATS_LINK_64 - 1), FILTER_AT);
  }

  /** `index`: the interface's number. null: it is gone. */
  read(index: number): InterfaceTraffic | null {
    this.#request.writeUInt32LE(index, INDEX_AT);
    return trafficOf(this.#socket.ask(this.#request));
  }

  close(): void {
    this.#socket.close();
  }
}

/** The fields of an answer; null for another message, such as an error, and for none. */
export function trafficOf(message: Buffer | null): InterfaceTraffic | null {
  const fields = attribute(attributesOf(message, RTM_NEWSTATS, STATS), IFLA_STATS_LINK_64);
  if (fields === null || fields.length < FIELDS_LENGTH) return null;
  const field = (index: number): number => Number(fields.readBigUInt64LE(8 * index));
  return { rxPackets: field(0), txPackets: field(1), rxBytes: field(2), txBytes: field(3) };
}
