/** What went through a network interface, in 64 bits, from rtnetlink(7): RTM_GETSTATS. Needs no privilege. */
import { close } from './descriptor.js';
import { checked } from './libc.js';
import { openSocket, receive, send, SOCK_CLOEXEC, SOCK_RAW } from './socket.js';

// linux/netlink.h, linux/rtnetlink.h, linux/if_link.h
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const RTM_NEWSTATS = 92;
const RTM_GETSTATS = 94;
const NLM_F_REQUEST = 1;
const IFLA_STATS_LINK_64 = 1;
/** struct nlmsghdr, struct if_stats_msg, struct nlattr. */
const MESSAGE_HEADER = 16;
const TYPE_AT = 4;
const FLAGS_AT = 6;
const STATS_HEADER = 12;
const INDEX_AT = 20;
const FILTER_AT = 24;
const ATTRIBUTE_HEADER = 4;
const ATTRIBUTE_AT = MESSAGE_HEADER + STATS_HEADER;
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
  readonly #fd = checked(
    openSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
    'open a socket to read statistics',
  );
  readonly #request = Buffer.alloc(ATTRIBUTE_AT);
  readonly #answer = Buffer.alloc(1024);

  /** `index`: the interface's number. */
  constructor(index: number) {
    const request = this.#request;
    request.writeUInt32LE(request.length, 0);
    request.writeUInt16LE(RTM_GETSTATS, TYPE_AT);
    request.writeUInt16LE(NLM_F_REQUEST, FLAGS_AT);
    request.writeUInt32LE(index, INDEX_AT);
    request.writeUInt32LE(1 << (IFLA_STATS_LINK_64 - 1), FILTER_AT);
  }

  /** null: the interface is gone. */
  read(): InterfaceTraffic | null {
    if (send(this.#fd, this.#request) < 0) return null;
    const length = receive(this.#fd, this.#answer);
    return length < 0 ? null : trafficOf(this.#answer.subarray(0, length));
  }

  close(): void {
    close(this.#fd);
  }
}

/** The fields of an answer; null for another message, such as an error. */
export function trafficOf(message: Buffer): InterfaceTraffic | null {
  const fieldsAt = ATTRIBUTE_AT + ATTRIBUTE_HEADER;
  if (message.length < fieldsAt + FIELDS_LENGTH || message.readUInt16LE(TYPE_AT) !== RTM_NEWSTATS) return null;
  const field = (index: number): number => Number(message.readBigUInt64LE(fieldsAt + 8 * index));
  return { rxPackets: field(0), txPackets: field(1), rxBytes: field(2), txBytes: field(3) };
}
