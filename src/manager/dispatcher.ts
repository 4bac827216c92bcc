/**
 * Gives an admitted client its session: takes a lease and a worker from the pool, and hands the socket over. If a step fails,
 * the lease is returned. If every lease is taken, the client waits for one (lease-queue).
 */
import { randomInt } from 'node:crypto';
import type { Configuration } from '../config/schema.js';
import type { Logger } from '../log/logger.js';
import { encode, GENERAL_ERROR, PROTOCOL_VERSION, RESULT } from '../pptp/index.js';
import { HANDOFF_VERSION } from '../session/handoff.js';
import { type Lease, peerText } from '../session/lease.js';
import { removeSessionFiles } from '../session/record-writer.js';
import { messageOf } from '../sys/thrown.js';
import type { Client } from './admission.js';
import type { Leases } from './leases.js';
import type { MonitoredSessions } from './monitored-sessions.js';
import type { Registry } from './registry.js';
import type { RefusedClients, RefusalCause } from './refused-clients.js';
import { LeaseQueue } from './lease-queue.js';
import { HandoffFailed, type Worker } from './worker.js';
import type { WorkerPool } from './worker-pool.js';

/** A real client calls as soon as it has the start reply; only a slower one may be disconnected for another. */
const TIME_TO_CALL_MS = 2000;
/** Attempts of a handoff: after three dead workers the client is to blame. */
const MAX_ATTEMPTS = 3;

const ID_LENGTH = 6;
const ID_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** The parts of the manager that a dispatcher works with. */
export interface DispatcherOptions {
  readonly configuration: Configuration;
  readonly leases: Pick<Leases, 'take' | 'giveBack'>;
  readonly pool: Pick<WorkerPool, 'acquire' | 'giveBack'>;
  readonly registry: Pick<Registry, 'add' | 'has' | 'makeRoom' | 'withoutCall' | 'endingCount'>;
  readonly refusedClients: Pick<RefusedClients, 'count'>;
  /** null: pppd is the engine, and no session needs the monitor. */
  readonly monitored: Pick<MonitoredSessions, 'enter' | 'over'> | null;
  readonly log: Logger;
}

export class Dispatcher {
  #configuration: Configuration;
  readonly #leases: DispatcherOptions['leases'];
  readonly #pool: DispatcherOptions['pool'];
  readonly #registry: DispatcherOptions['registry'];
  readonly #refusedClients: DispatcherOptions['refusedClients'];
  readonly #monitored: DispatcherOptions['monitored'];
  readonly #log: Logger;
  /** All clients from `dispatch` on until they are in the registry, or turned away. */
  readonly #clients = new Set<Client>();
  /** Clients that have a lease but no worker yet. */
  readonly #queued = new Set<Client>();
  readonly #leaseQueue: LeaseQueue;
  #closed = false;
  /** Handoffs that no worker has answered yet. */
  readonly #handoffs = new Set<Promise<boolean>>();
  /** Called when a worker has adopted a client: milliseconds since the client was admitted. */
  onHandedOver: (milliseconds: number) => void = () => undefined;

  constructor({ configuration, leases, pool, registry, refusedClients, monitored, log }: DispatcherOptions) {
    this.#configuration = configuration;
    this.#leases = leases;
    this.#pool = pool;
    this.#registry = registry;
    this.#refusedClients = refusedClients;
    this.#monitored = monitored;
    this.#log = log;
    this.#leaseQueue = new LeaseQueue(
      (needed) => registry.endingCount < needed && registry.makeRoom(TIME_TO_CALL_MS),
      () => this.#queued.size + this.#handoffs.size + registry.withoutCall + registry.endingCount === 0,
    );
  }

  reconfigure(configuration: Configuration): void {
    this.#configuration = configuration;
  }

  /** How many clients of this address are on their way to a session. */
  clientsOf(address: string): number {
    let count = 0;
    for (const { peer } of this.#clients) if (peer.address === address) count += 1;
    return count;
  }

  /** Takes over an admitted client; never throws. */
  dispatch(client: Client): void {
    this.#clients.add(client);
    const lease = this.#leases.take();
    if (lease !== null) void this.#handOff(client, lease);
    else this.#leaseQueue.enter(client, this.#mostWaiting, () => this.#refuseFull(client));
  }

  /** A lease or an address was returned: a client that waits gets it. */
  leaseFreed(): void {
    this.#leaseQueue.serve(
      () => this.#leases.take(),
      (client, lease) => void this.#handOff(client, lease),
    );
  }

  /** Closes the clients that still wait; idempotent. */
  close(): void {
    this.#closed = true;
    this.#leaseQueue.close();
    for (const { socket } of this.#queued) socket.destroy();
    this.#queued.clear();
  }

  /** Resolves when each current handoff has become a session in the registry, or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#handoffs);
  }

  get #mostWaiting(): number {
    return this.#configuration.limits.pending || Infinity;
  }

  async #handOff(client: Client, lease: Lease): Promise<void> {
    for (let attempts = MAX_ATTEMPTS; attempts > 0; attempts -= 1) {
      this.#queued.add(client);
      const worker = await this.#pool.acquire();
      this.#queued.delete(client);
      if (client.hasLeft) {
        this.#pool.giveBack(worker);
        this.#turnAway(client, lease, 'left');
        return;
      }
      const adoption = this.#adopt(worker, client, lease, attempts === 1);
      this.#handoffs.add(adoption);
      const isSettled = await adoption;
      this.#handoffs.delete(adoption);
      if (isSettled) return;
    }
  }

  /** True: the client has a session, or was turned away. False: its worker died, and the next worker gets the client. */
  async #adopt(worker: Worker, client: Client, lease: Lease, isLast: boolean): Promise<boolean> {
    const session = this.#newSessionId();
    const { socket, peer, localAddress } = client;
    await this.#monitored?.enter({ session, worker: worker.pid, lease, peer, server: localAddress });
    try {
      const firstBytes = client.takeBytes().toString('base64');
      await worker.adopt(
        {
          type: 'handoff',
          v: HANDOFF_VERSION,
          session,
          lease,
          peer,
          localAddress,
          firstBytes,
          configuration: this.#configuration,
        },
        socket,
      );
    } catch (error) {
      const why = messageOf(error);
      worker.dismiss();
      this.#monitored?.over(session);
      // A worker that died may have written part of its record.
      removeSessionFiles(this.#configuration.runDirectory, session);
      const isOver = isLast || this.#closed || !(error instanceof HandoffFailed) || !error.isWorkerGone;
      if (!isOver) {
        this.#log.warn(
          { peer: peerText(peer), worker: worker.pid, why },
          'a handoff failed; trying another ctrl worker',
        );
        return false;
      }
      this.#turnAway(client, lease, 'noWorker', why);
      return true;
    }
    // From here on only the worker has the socket.
    socket.destroy();
    this.#log.info(
      { session, peer: peerText(peer), callId: lease.callId, worker: worker.pid, remote: lease.remote },
      'client handed to a ctrl worker',
    );
    this.onHandedOver(performance.now() - client.admittedAt);
    this.#clients.delete(client);
    this.#registry.add(session, lease, peer.address, worker);
    return true;
  }

  #turnAway(client: Client, lease: Lease, cause: RefusalCause, why?: string): void {
    this.#clients.delete(client);
    this.#refusedClients.count(cause, peerText(client.peer), why);
    client.socket.destroy();
    this.#leases.giveBack(lease);
  }

  /** A full server replies with general error, no resource (RFC 2637 §2.2), and closes the connection. */
  #refuseFull(client: Client): void {
    const { socket, peer } = client;
    this.#clients.delete(client);
    if (client.hasLeft) {
      this.#refusedClients.count('left', peerText(peer));
      socket.destroy();
      return;
    }
    const { addresses, limits } = this.#configuration;
    const { connections } = limits;
    const detail = addresses.delegate
      ? `limits.connections is ${connections}; remedy: raise it; pptpd-ts sessions shows who is connected`
      : `addresses.remote is ${[addresses.remote].flat().join(', ')}, limits.connections ${connections}; remedy: add addresses or raise the limit; pptpd-ts sessions shows who holds them`;
    this.#refusedClients.count('full', peerText(peer), detail);
    socket.end(
      encode({
        type: 'StartControlConnectionReply',
        protocolVersion: PROTOCOL_VERSION,
        resultCode: RESULT.StartControlConnectionReply.generalError,
        errorCode: GENERAL_ERROR.noResource,
        framingCapabilities: 0,
        bearerCapabilities: 0,
        maximumChannels: 0,
        firmwareRevision: 0,
        hostName: '',
        vendorName: '',
      }),
      () => socket.destroy(),
    );
  }

  #newSessionId(): string {
    for (;;) {
      let id = '';
      while (id.length < ID_LENGTH) id += ID_ALPHABET.charAt(randomInt(ID_ALPHABET.length));
      if (!this.#registry.has(id)) return id;
    }
  }
}
