/**
 * Admits clients: those whose address is allowed and that have sent a whole Start-Control-Connection-Request. No client
 * waits for another here; if too many wait without a request, the oldest one is disconnected.
 */
import type { Socket } from 'node:net';
import type { Configuration } from '../config/schema.js';
import { inspectStart } from '../pptp/index.js';
import { type Peer, peerText } from '../session/lease.js';
import { accessRule } from './access.js';
import type { RefusedClients, RefusalCause } from './refused-clients.js';

/** A client that has sent a whole start request, and everything that was read from it so far. */
export interface Client {
  readonly socket: Socket;
  readonly peer: Peer;
  readonly localAddress: string;
  /** When its start request was whole, in ms on this process's clock. */
  readonly admittedAt: number;
  /** The client has closed its end meanwhile, and nothing is left to read. */
  readonly hasLeft: boolean;
  /** All bytes read so far, including those that arrived while it waited; the socket is paused. */
  takeBytes(): Buffer;
}

export interface AdmissionOptions {
  readonly configuration: AdmissionSettings;
  readonly refusedClients: Pick<RefusedClients, 'count'>;
  readonly isBlocked: (address: string) => boolean;
  readonly sessionsOf: (address: string) => number;
  readonly onClient: (client: Client) => void;
}

type AdmissionSettings = Pick<Configuration, 'access' | 'limits' | 'timeouts'>;

interface Waiting {
  readonly peer: Peer;
  /** Stops waiting for its start request. */
  readonly settle: () => void;
  readonly turnAway: (cause: RefusalCause) => void;
}

export class Admission {
  #configuration: AdmissionSettings;
  #isAllowed: (address: string) => boolean;
  readonly #refusedClients: AdmissionOptions['refusedClients'];
  readonly #isBlocked: (address: string) => boolean;
  readonly #sessionsOf: (address: string) => number;
  readonly #onClient: (client: Client) => void;
  /** Connections without a whole start request, oldest first. Each keeps fewer octets than that request has. */
  readonly #waiting = new Map<Socket, Waiting>();

  constructor({ configuration, refusedClients, isBlocked, sessionsOf, onClient }: AdmissionOptions) {
    this.#configuration = configuration;
    this.#isAllowed = accessRule(configuration.access);
    this.#refusedClients = refusedClients;
    this.#isBlocked = isBlocked;
    this.#sessionsOf = sessionsOf;
    this.#onClient = onClient;
  }

  reconfigure(configuration: AdmissionSettings): void {
    this.#configuration = configuration;
    this.#isAllowed = accessRule(configuration.access);
  }

  /** Takes an accepted connection. */
  accept(socket: Socket): void {
    const { remoteAddress, remotePort, localAddress } = socket;
    // Undefined if the client has already left.
    if (remoteAddress === undefined || remotePort === undefined || localAddress === undefined) {
      socket.destroy();
      return;
    }
    const peer = { address: remoteAddress, port: remotePort };
    if (!this.#isAllowed(peer.address)) {
      this.#refuse(socket, peer, 'accessDenied');
      return;
    }
    if (this.#isBlocked(peer.address)) {
      this.#refuse(socket, peer, 'blocked');
      return;
    }
    const { perSource, pending } = this.#configuration.limits;
    if (perSource > 0 && this.#connectionsOf(peer.address) >= perSource) {
      this.#refuse(socket, peer, 'perSource');
      return;
    }
    if (pending > 0 && this.#waiting.size >= pending) {
      const [oldest] = this.#waiting.values();
      oldest?.turnAway('evicted');
    }
    this.#awaitStart(socket, peer, localAddress);
  }

  /** Closes every connection that has not become a client; idempotent. */
  close(): void {
    for (const [socket, { settle }] of this.#waiting) {
      settle();
      socket.destroy();
    }
  }

  #connectionsOf(address: string): number {
    let count = this.#sessionsOf(address);
    for (const { peer } of this.#waiting.values()) if (peer.address === address) count += 1;
    return count;
  }

  #refuse(socket: Socket, peer: Peer, cause: RefusalCause, detail?: string): void {
    this.#refusedClients.count(cause, peerText(peer), detail);
    socket.destroy();
  }

  #awaitStart(socket: Socket, peer: Peer, localAddress: string): void {
    const chunks: Buffer[] = [];
    const settle = (): void => {
      clearTimeout(firstMessageTimer);
      this.#waiting.delete(socket);
      socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close').pause();
    };
    const turnAway = (cause: RefusalCause, detail?: string): void => {
      settle();
      this.#refuse(socket, peer, cause, detail);
    };
    const firstMessageTimer = setTimeout(
      () => turnAway('noFirstMessage'),
      this.#configuration.timeouts.firstMessage * 1000,
    );
    this.#waiting.set(socket, { peer, settle, turnAway });
    // Every error is followed by 'close', which is handled.
    socket.on('error', () => undefined);
    socket.on('end', () => turnAway('left'));
    socket.on('close', () => turnAway('left'));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const first = inspectStart(chunks.length === 1 ? chunk : Buffer.concat(chunks));
      if (first.kind === 'incomplete') return;
      if (first.kind === 'refused') {
        turnAway('notPptp', first.error.detail);
        return;
      }
      settle();
      let hasLeft = false;
      // Emitted when data can be read, and at the end of the stream.
      socket.on('readable', () => (hasLeft = socket.readableLength === 0));
      const takeBytes = (): Buffer => {
        socket.removeAllListeners('readable');
        for (let more: Buffer | null; (more = socket.read() as Buffer | null) !== null; ) chunks.push(more);
        stopReading(socket);
        return Buffer.concat(chunks);
      };
      this.#onClient({
        socket,
        peer,
        localAddress,
        admittedAt: performance.now(),
        get hasLeft() {
          return hasLeft || socket.destroyed;
        },
        takeBytes,
      });
    });
  }
}

/**
 * Leaves further bytes in the kernel. Node would continue to read a paused socket, even one that was sent to another process,
 * and lose what it reads.
 */
function stopReading(socket: Socket): void {
  (socket as Socket & { readonly _handle?: { readStop(): void } | null })._handle?.readStop();
}
