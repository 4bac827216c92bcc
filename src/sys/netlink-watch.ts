/** Notices that somebody changed the kernel's routes or firewall rules: multicast groups of netlink(7). Needs root. */
import { close } from './descriptor.js';
import { checked } from './libc.js';
import { Poller } from './poller.js';
import { bind, openSocket, receive, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_RAW } from './socket.js';

const AF_NETLINK = 16;
/** struct sockaddr_nl. */
const ADDRESS_LENGTH = 12;
const GROUPS_AT = 8;
/** What can be watched: protocol and group (linux/rtnetlink.h, linux/netfilter/nfnetlink.h). */
const SUBJECTS = {
  routes: { protocol: 0, group: 7 },
  nftables: { protocol: 12, group: 7 },
} as const;
/** Messages before others have their turn. */
const MAX_IN_A_TURN = 64;

/** Calls `onChange` after each change, or once for several. Returns a function that ends this. Throws SystemCallFailed. */
export function watchNetlink(subject: keyof typeof SUBJECTS, onChange: () => void): () => void {
  const { protocol, group } = SUBJECTS[subject];
  const fd = checked(openSocket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), `watch ${subject}`);
  try {
    const address = Buffer.alloc(ADDRESS_LENGTH);
    address.writeUInt16LE(AF_NETLINK);
    address.writeUInt32LE(1 << (group - 1), GROUPS_AT);
    checked(bind(fd, address, address.length), `watch ${subject}`);
  } catch (error) {
    close(fd);
    throw error;
  }
  // The content does not matter, so messages are cut.
  const message = Buffer.alloc(16);
  const poller = new Poller(() => {
    // An error means that messages were lost: something has changed all the same.
    for (let count = 0; count < MAX_IN_A_TURN && receive(fd, message) >= 0; count += 1);
    onChange();
  });
  poller.watch(fd, true, false);
  return () => {
    poller.close();
    close(fd);
  };
}
