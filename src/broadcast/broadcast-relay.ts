/**
 * Relays broadcasts between the LAN and all tunnels, and between tunnels. One packet socket receives from all
 * interfaces, so that tunnels may come and go; a second one on the LAN also receives what this host sends there, so
 * that clients see the server's own services. Only the LAN's socket receives sent packets, since the kernel copies each
 * of them.
 *
 * Loops are prevented by the TTL that marks relayed packets, which the filter drops, and by recent-broadcasts.ts where
 * the mark was removed.
 */
import type { Logger } from '../log/logger.js';
import { counted, type Counters, noCounts } from './broadcast-counters.js';
import { broadcastFilter } from './filter.js';
import { Interfaces, type Lan, type Tunnel } from './interfaces.js';
import { RecentBroadcasts } from './recent-broadcasts.js';
import { type Broadcast, fingerprint, LIMITED_BROADCAST, readBroadcast, relayed } from './packet.js';
import { RateLimit } from './rate-limit.js';
import {
  type Arrival,
  ETH_P_ALL,
  ETH_P_IP,
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_OUTGOING,
  PacketSocket,
} from '../sys/packet-socket.js';
import { Poller } from '../sys/poller.js';

/** Interval between looks at the interfaces: the longest time before a new tunnel gets broadcasts. */
const LOOK_INTERVAL_MS = 1000;
const REPORT_INTERVAL_MS = 60_000;
/** Maximum number of packets per socket and turn, so that other events are handled. */
const TURN = 64;
const MAX_PACKET = 65_536;

export class BroadcastRelay {
  readonly #lanName: string;
  readonly #log: Logger;
  readonly #interfaces = new Interfaces();
  readonly #poller = new Poller(() => this.#turn());
  readonly #memory = new RecentBroadcasts();
  readonly #limits = new Map<number, RateLimit>();
  readonly #buffer = new Uint8Array(MAX_PACKET);
  readonly #lookTimer: NodeJS.Timeout;
  readonly #reportTimer: NodeJS.Timeout;
  #lan: Lan | null;
  #lanSocket: PacketSocket | null = null;
  #tunnels = new Map<number, Tunnel>();
  #tunnelSocket: PacketSocket;
  #counters = noCounts();

  /**
   * `lan`: the interface's name; it need not exist yet. Throws an Error with a readable message when a socket cannot be
   * opened.
   */
  constructor(lan: string, log: Logger) {
    this.#lanName = lan;
    this.#log = log;
    this.#lan = this.#interfaces.lan(lan);
    if (this.#lan === null)
      log.warn({ interface: lan }, `there is no interface ${lan} (broadcastRelay); waiting for it`);
    this.#tunnelSocket = this.#openTunnels();
    this.#lanSocket = this.#openLan();
    this.#look();
    this.#lookTimer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);
    this.#reportTimer = setInterval(() => this.#report(), REPORT_INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.#lookTimer);
    clearInterval(this.#reportTimer);
    this.#report();
    this.#poller.close();
    this.#lanSocket?.close();
    this.#tunnelSocket.close();
    this.#interfaces.close();
  }

  #openTunnels(): PacketSocket {
    const socket = new PacketSocket({ index: 0, protocol: ETH_P_IP, filter: broadcastFilter(this.#lanBroadcast()) });
    this.#poller.watch(socket.fd, true, false);
    return socket;
  }

  #openLan(): PacketSocket | null {
    if (this.#lan === null) return null;
    const socket = new PacketSocket({
      index: this.#lan.index,
      protocol: ETH_P_ALL,
      filter: broadcastFilter(this.#lanBroadcast()),
    });
    this.#poller.watch(socket.fd, true, false);
    return socket;
  }

  #close(socket: PacketSocket): void {
    this.#poller.watch(socket.fd, false, false);
    socket.close();
  }

  #lanBroadcast(): number {
    return this.#lan?.broadcast ?? LIMITED_BROADCAST;
  }

  /** Updates the list of interfaces. */
  #look(): void {
    const lan = this.#interfaces.lan(this.#lanName);
    if (lan?.index !== this.#lan?.index || lan?.broadcast !== this.#lan?.broadcast) this.#changeLan(lan);
    const before = this.#tunnels;
    this.#tunnels = this.#interfaces.tunnels();
    if (lan !== null) this.#tunnels.delete(lan.index);
    for (const [index, { name }] of before) {
      if (this.#tunnels.has(index)) continue;
      this.#limits.delete(index);
      this.#log.debug({ interface: name }, 'tunnel removed');
    }
    for (const [index, { name }] of this.#tunnels) {
      if (!before.has(index)) this.#log.debug({ interface: name }, 'tunnel found');
    }
  }

  #changeLan(lan: Lan | null): void {
    this.#countDropped();
    if (this.#lanSocket !== null) this.#close(this.#lanSocket);
    this.#close(this.#tunnelSocket);
    this.#lan = lan;
    this.#lanSocket = null;
    this.#tunnelSocket = this.#openTunnels();
    try {
      this.#lanSocket = this.#openLan();
    } catch (error) {
      // The interface may have disappeared since; the next look tries again.
      this.#lan = null;
      this.#log.warn(
        { err: error, interface: this.#lanName },
        `cannot listen on ${this.#lanName}; trying again every second`,
      );
      return;
    }
    const words = lan === null ? 'has disappeared; waiting for it' : 'was found';
    this.#log.info({ interface: this.#lanName }, `the LAN interface ${this.#lanName} ${words}`);
  }

  /**
   * Handles at most TURN packets per socket. The sockets stay readable while packets are left, so the event loop calls
   * again.
   */
  #turn(): void {
    for (let packets = 0; packets < TURN && this.#lanSocket !== null; packets += 1) {
      const arrival = this.#lanSocket.receive(this.#buffer);
      if (arrival === null) break;
      this.#recvFromLan(arrival, this.#buffer.subarray(0, arrival.length));
    }
    for (let packets = 0; packets < TURN; packets += 1) {
      const arrival = this.#tunnelSocket.receive(this.#buffer);
      if (arrival === null) break;
      this.#recvFromTunnel(arrival, this.#buffer.subarray(0, arrival.length));
    }
  }

  #read(packet: Uint8Array): Broadcast | null {
    const broadcast = readBroadcast(packet, this.#lanBroadcast());
    if (typeof broadcast !== 'string') return broadcast;
    if (broadcast === 'malformed') this.#counters.malformed += 1;
    return null;
  }

  #recvFromLan({ type }: Arrival, packet: Uint8Array): void {
    const broadcast = this.#read(packet);
    if (broadcast === null || this.#lan === null) return;
    const { destination, source } = broadcast;
    const { index, broadcast: lanBroadcast } = this.#lan;
    // x.x.x.255 may be a host in a larger network. The packet type tells for received packets, but not for packets that
    // this host sent.
    const toAll =
      type === PACKET_OUTGOING
        ? destination === LIMITED_BROADCAST || destination === lanBroadcast
        : type === PACKET_BROADCAST;
    if (toAll) this.#relay(broadcast, index, source);
  }

  #recvFromTunnel({ index, type }: Arrival, packet: Uint8Array): void {
    // The socket receives from every interface, including the LAN.
    const tunnel = this.#tunnels.get(index);
    if (tunnel === undefined || (type !== PACKET_HOST && type !== PACKET_BROADCAST)) return;
    const broadcast = this.#read(packet);
    // Use the tunnel's address: clients also send from other addresses, to which nobody here could reply.
    if (broadcast !== null) this.#relay(broadcast, index, tunnel.peer ?? broadcast.source);
  }

  #relay(broadcast: Broadcast, from: number, source: number): void {
    const now = performance.now();
    if (!this.#limitOf(from, now).take(now)) {
      this.#counters.tooMany += 1;
      return;
    }
    if (this.#memory.isCopy(fingerprint(broadcast), broadcast.identification, from, now)) {
      this.#counters.copies += 1;
      return;
    }
    const packet = relayed(broadcast, source);
    this.#counters.relayed += 1;
    if (this.#lan !== null && this.#lan.index !== from) this.#send(packet, this.#lan.index);
    for (const index of this.#tunnels.keys()) if (index !== from) this.#send(packet, index);
  }

  #send(packet: Uint8Array, index: number): void {
    this.#counters[COUNTER_OF[this.#tunnelSocket.broadcast(packet, index)]] += 1;
  }

  #limitOf(index: number, now: number): RateLimit {
    const known = this.#limits.get(index);
    if (known !== undefined) return known;
    const limit = new RateLimit(now);
    this.#limits.set(index, limit);
    return limit;
  }

  #countDropped(): void {
    this.#counters.droppedByKernel += this.#tunnelSocket.takeDropped() + (this.#lanSocket?.takeDropped() ?? 0);
  }

  #report(): void {
    this.#countDropped();
    const counts = counted(this.#counters);
    if (counts !== null) this.#log.info({ counts, tunnels: this.#tunnels.size }, 'broadcasts of the last minute');
    this.#counters = noCounts();
  }
}

const COUNTER_OF = {
  sent: 'sent',
  tooBig: 'tooBig',
  interfaceGone: 'interfaceGone',
  failed: 'sendFailed',
} as const satisfies Record<string, keyof Counters>;
