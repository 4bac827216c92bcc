/** Requests to the kernel by rtnetlink(7), for what has no ioctl. Numbers are in the machine's order, little-endian here. */
import { close } from './descriptor.js';
import { checked, errnoName, lastErrorName, SystemCallFailed } from './libc.js';
import { openSocket, receive, send, SOCK_CLOEXEC, SOCK_RAW } from './socket.js';

// sys/socket.h, linux/netlink.h, linux/rtnetlink.h, linux/if_link.h
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const RTM_DELLINK = 17;
const RTM_SETLINK = 19;
const NLM_F_REQUEST = 0x01;
export const NLM_F_ACK = 0x04;
export const NLM_F_ECHO = 0x08;
const IFLA_MASTER = 10;
/** struct nlmsghdr. */
export const HEADER = 16;
const TYPE_AT = 4;
const FLAGS_AT = 6;
/** struct ifinfomsg. */
const LINK = 16;
const INDEX_AT = HEADER + 4;
/** struct rtattr: length with these two fields, type, value. */
const ATTRIBUTE_HEADER = 4;
/** Of the type of a nested attribute the upper bits are flags. */
const ATTRIBUTE_TYPE = 0x3fff;
/** In struct nlmsgerr: 0 acknowledges, and a negative number is an error. */
const ERROR_AT = HEADER;
const MAX_ANSWER = 4096;

/** A request with an empty body of so many octets. */
export function newRequest(type: number, flags: number, bodyLength: number): Buffer {
  const request = Buffer.alloc(HEADER + bodyLength);
  request.writeUInt32LE(request.length, 0);
  request.writeUInt16LE(type, TYPE_AT);
  request.writeUInt16LE(NLM_F_REQUEST | flags, FLAGS_AT);
  return request;
}

export class RtnetlinkSocket {
  readonly #fd: number;
  readonly #answer = Buffer.alloc(MAX_ANSWER);

  /** Throws SystemCallFailed with `step`. */
  constructor(step: string) {
    this.#fd = checked(openSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), step);
  }

  /** The first message that answers the request, valid until the next one; null: a system call failed (lastErrorName). */
  ask(request: Uint8Array): Buffer | null {
    if (send(this.#fd, request) < 0) return null;
    const length = receive(this.#fd, this.#answer);
    return length < 0 ? null : this.#answer.subarray(0, length);
  }

  close(): void {
    close(this.#fd);
  }
}

/** What is behind a body of so many octets: the attributes. Empty if the message is of another type, such as an error. */
export function attributesOf(message: Buffer | null, type: number, bodyLength: number): Buffer {
  const isOfType = message !== null && message.length >= HEADER && message.readUInt16LE(TYPE_AT) === type;
  return isOfType ? message.subarray(HEADER + bodyLength) : Buffer.alloc(0);
}

/** The value of the first attribute of this type; null: there is none. */
export function attribute(attributes: Buffer, type: number): Buffer | null {
  for (let rest = attributes; rest.length >= ATTRIBUTE_HEADER; ) {
    const length = rest.readUInt16LE(0);
    if (length < ATTRIBUTE_HEADER || length > rest.length) return null;
    if ((rest.readUInt16LE(2) & ATTRIBUTE_TYPE) === type) return rest.subarray(ATTRIBUTE_HEADER, length);
    // Attributes begin at multiples of four.
    rest = rest.subarray(Math.min(rest.length, (length + 3) & ~3));
  }
  return null;
}

/** Puts the interface of this index under `master`, an index too: a VRF or a bridge. Throws SystemCallFailed with `step`. */
export function setMaster(index: number, master: number, step: string): void {
  const request = linkRequest(RTM_SETLINK, index, ATTRIBUTE_HEADER + 4);
  const attributeAt = HEADER + LINK;
  request.writeUInt16LE(ATTRIBUTE_HEADER + 4, attributeAt);
  request.writeUInt16LE(IFLA_MASTER, attributeAt + 2);
  request.writeUInt32LE(master, attributeAt + ATTRIBUTE_HEADER);
  acknowledged(request, step);
}

/** Removes the interface of this index, whoever has its descriptor. Throws SystemCallFailed with `step`. */
export const deleteLink = (index: number, step: string): void => acknowledged(linkRequest(RTM_DELLINK, index), step);

/** `more`: octets of attributes. */
function linkRequest(type: number, index: number, more = 0): Buffer {
  const request = newRequest(type, NLM_F_ACK, LINK + more);
  request.writeInt32LE(index, INDEX_AT);
  return request;
}

function acknowledged(request: Uint8Array, step: string): void {
  const socket = new RtnetlinkSocket(step);
  try {
    const answer = socket.ask(request);
    if (answer === null) throw new SystemCallFailed(step, lastErrorName());
    const error = answer.readInt32LE(ERROR_AT);
    if (error !== 0) throw new SystemCallFailed(step, errnoName(-error));
  } finally {
    socket.close();
  }
}
