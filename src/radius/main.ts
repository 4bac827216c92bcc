/**
 * Entry point of the RADIUS process. The monitor starts it without privileges, tells it the servers and their secrets over
 * descriptor 3, and asks it about logins; it ends with the monitor. Argument: the log level.
 *
 * Exit codes: 0 the monitor is gone; 2 wrong usage.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { openLog } from '../log/logger.js';
import { monotonicMs } from '../sys/clock.js';
import { closeToOthers } from '../sys/close-to-others.js';
import { Poller } from '../sys/poller.js';
import { isSeqpacket, receivePacket, sendPacket } from '../sys/seqpacket-socket.js';
import type { RadiusServer, Service } from './client.js';
import { decodeToRadius, encodeRadiusMessage, MAX_RADIUS_MESSAGE } from './protocol.js';
import { RadiusService } from './radius-service.js';

const MONITOR = 3;
const LISTEN_AGAIN_MS = 5000;

const [level] = process.argv.slice(2);
if (level === undefined || !isSeqpacket(MONITOR)) {
  process.stderr.write(
    'pptpd-ts: only the monitor can start the RADIUS process; remedy: set radius in the configuration\n',
  );
  process.exit(2);
}
process.title = 'pptpd-ts radius';
// It has the shared secrets, and systemd may give its user's number to a service too.
closeToOthers();
const { log } = openLog('radius', { level, file: 'radius.log' });

/** A connected socket, so that the kernel drops what comes from elsewhere. A server may have no route at first. */
class ServerSocket {
  readonly #socket: Socket = createSocket('udp4');
  readonly #server: RadiusServer;
  readonly #service: Service;
  #state: 'new' | 'connecting' | 'connected' = 'new';
  #unsent: Uint8Array[] = [];

  constructor(server: RadiusServer, service: Service, recv: (octets: Uint8Array) => void) {
    this.#server = server;
    this.#service = service;
    this.#socket.on('message', recv);
    this.#socket.on('error', (error) => this.#failed(error));
  }

  send(octets: Uint8Array): void {
    if (this.#state === 'connected') {
      this.#socket.send(octets, (error) => error && this.#failed(error));
      return;
    }
    this.#unsent.push(octets);
    if (this.#state === 'new') this.#connect();
  }

  close(): void {
    this.#socket.close();
  }

  #connect(): void {
    const { address, authPort, acctPort } = this.#server;
    this.#state = 'connecting';
    this.#socket.connect(this.#service === 'auth' ? authPort : acctPort, address, (error?: Error) => {
      this.#state = error === undefined ? 'connected' : 'new';
      if (error !== undefined) this.#failed(error);
      // What cannot be sent now is repeated anyway.
      for (const octets of this.#unsent.splice(0)) if (error === undefined) this.send(octets);
    });
  }

  /** For example ICMP port unreachable. The request is sent again, and then to another server. */
  #failed(error: Error): void {
    log.debug({ server: this.#server.address, service: this.#service }, `RADIUS socket: ${error.message}`);
  }
}

let sockets = new Map<RadiusServer, Readonly<Record<Service, ServerSocket>>>();

let listener: Socket | null = null;
let listenTimer: NodeJS.Timeout | undefined;

/** Tries again when the port is taken: the process before this one may still be ending. */
function listenAt(port: number | null): void {
  clearTimeout(listenTimer);
  listener?.close();
  listener = null;
  if (port === null) return;
  const socket = createSocket('udp4');
  listener = socket;
  socket.on('error', (error) => {
    log.error(
      { port },
      `cannot receive RADIUS requests: ${error.message}; trying again in ${LISTEN_AGAIN_MS / 1000} s`,
    );
    if (listener === socket) listenTimer = setTimeout(() => listenAt(port), LISTEN_AGAIN_MS);
  });
  socket.on('message', (octets, sender) => {
    const { address, port: from } = sender;
    service.recvRequest(octets, sender, (reply) => {
      // Other settings may have closed it meanwhile.
      if (listener === socket) socket.send(reply, from, address, () => undefined);
    });
  });
  socket.bind(port, () => log.info({ port }, 'receiving RADIUS requests'));
}

const service = new RadiusService({
  random: randomBytes,
  now: monotonicMs,
  wallClock: Date.now,
  startTimer: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  send: (server, event) => sockets.get(server)?.[event.service].send(event.octets),
  onServers: (servers) => {
    for (const { auth, acct } of sockets.values()) {
      auth.close();
      acct.close();
    }
    const open = (server: RadiusServer, which: Service): ServerSocket =>
      new ServerSocket(server, which, (octets) => service.recvReply(server, which, octets));
    sockets = new Map(servers.map((server) => [server, { auth: open(server, 'auth'), acct: open(server, 'acct') }]));
  },
  onListen: listenAt,
  hasAddress: (address) =>
    Object.values(networkInterfaces()).some((addresses) => addresses?.some((each) => each.address === address)),
  tell: (message) => {
    if (sendPacket(MONITOR, encodeRadiusMessage(message)) === 'closed') process.exit(0);
  },
  log,
});

const buffer = Buffer.alloc(MAX_RADIUS_MESSAGE);
const poller = new Poller(() => {
  for (;;) {
    const packet = receivePacket(MONITOR, buffer, false);
    if (packet === null) return;
    if (packet === 'closed') process.exit(0);
    service.recv(decodeToRadius(buffer.subarray(0, packet.length)));
  }
});
poller.watch(MONITOR, true, false);
