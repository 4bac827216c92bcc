/** Requests to the kernel by rtnetlink(7), for what has no ioctl. Numbers are in the machine's order, little-endian here. */
import { writeSync } from 'node:fs';
import { close } from './descriptor.js';
import { checked, errnoName, SystemCallFailed } from './libc.js';
import { openSocket, receive, SOCK_CLOEXEC, SOCK_RAW } from './socket.js';

// sys/socket.h, linux/netlink.h, linux/rtnetlink.h, linux/if_link.h
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const RTM_DELLINK = 17;
const RTM_SETLINK = 19;
const NLM_F_REQUEST = 0x01;
const NLM_F_ACK = 0x04;
const IFLA_MASTER = 10;
/** struct nlmsghdr, struct ifinfomsg. */
const HEADER = 16;
const LINK = 16;
const INDEX_AT = HEADER + 4;
/** struct rtattr with a 32-bit value. */
const ATTRIBUTE = 8;
/** In struct nlmsgerr, which acknowledges: 0, or a negative error number. */
const ERROR_AT = HEADER;
const MAX_ANSWER = 4096;

/** Puts the interface of this index under `master`, an index too: a VRF or a bridge. Throws SystemCallFailed with `step`. */
export function setMaster(index: number, master: number, step: string): void {
  const request = linkRequest(RTM_SETLINK, index, ATTRIBUTE);
  const attribute = HEADER + LINK;
  request.writeUInt16LE(ATTRIBUTE, attribute);
  request.writeUInt16LE(IFLA_MASTER, attribute + 2);
  request.writeUInt32LE(master, attribute + 4);
  ask(request, step);
}

/** Removes the interface of this index, whoever has its descriptor. Throws SystemCallFailed with `step`. */
export const deleteLink = (index: number, step: string): void => ask(linkRequest(RTM_DELLINK, index), step);

/** `more`: octets of attributes. */
function linkRequest(type: number, index: number, more = 0): Buffer {
  const request = Buffer.alloc(HEADER + LINK + more);
  request.writeUInt32LE(request.length, 0);
  request.writeUInt16LE(type, 4);
  request.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK, 6);
  request.writeInt32LE(index, INDEX_AT);
  return request;
}

function ask(request: Buffer, step: string): void {
  const fd = checked(openSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), step);
  try {
    writeSync(fd, request);
    const answer = Buffer.alloc(MAX_ANSWER);
    checked(receive(fd, answer), step);
    const error = answer.readInt32LE(ERROR_AT);
    if (error !== 0) throw new SystemCallFailed(step, errnoName(-error));
  } finally {
    close(fd);
  }
}
