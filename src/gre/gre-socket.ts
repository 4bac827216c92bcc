/**
 * The GRE socket of one call: a raw IP socket, filtered by call id, bound to the local address and connected to the
 * client.
 */
import { MSG_DONTWAIT, recvmmsg } from '../sys/batch-io.js';
import { close } from '../sys/descriptor.js';
import { checked } from '../sys/libc.js';
import { IPPROTO_GRE, openRawSocket } from '../sys/raw-socket.js';
import { attachFilter, bind, bindToDevice, connect, internetAddress, readOption, SOL_SOCKET } from '../sys/socket.js';
import { type PacketBuffers, RECEIVE_BATCH } from './packet-buffers.js';
import { greFilter } from './socket-filter.js';

// asm-generic/socket.h
const SO_MEMINFO = 55;
/** Length of the SO_MEMINFO result, and offset of its count of dropped packets, octets. */
const MEMINFO_LENGTH = 36;
const MEMINFO_DROPS_AT = 32;

/** Maximum number of batches discarded at the start, since the peer may be flooding. */
const MAX_DRAINED = 64;

export interface GreAddresses {
  readonly localAddress: string;
  readonly peerAddress: string;
  /** The call id in packets from the client. */
  readonly callId: number;
  /** Name of the VRF device to bind to. */
  readonly device: string | undefined;
}

export interface GreSocketOptions extends GreAddresses {
  readonly buffers: PacketBuffers;
  /** A raw socket for GRE that root has opened, with long buffers; undefined: this process opens one. */
  readonly socket?: number | undefined;
}

export class GreSocket {
  readonly fd: number;
  readonly #memoryInformation = Buffer.alloc(MEMINFO_LENGTH);
  #closed = false;
  #dropped = 0;

  /** Throws SystemCallFailed or RawSocketRefused. */
  constructor(options: GreSocketOptions) {
    this.fd = options.socket ?? openRawSocket(IPPROTO_GRE);
    try {
      this.#prepare(options);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Packets that the kernel dropped because this process did not read them in time. */
  droppedByKernel(): number {
    if (!this.#closed && readOption(this.fd, SOL_SOCKET, SO_MEMINFO, this.#memoryInformation) === 0) {
      this.#dropped = this.#memoryInformation.readUInt32LE(MEMINFO_DROPS_AT);
    }
    return this.#dropped;
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.droppedByKernel();
    this.#closed = true;
    close(this.fd);
  }

  #prepare(options: GreSocketOptions): void {
    const { fd } = this;
    // Filter first, so that the kernel queues no more packets of other calls.
    checked(attachFilter(fd, greFilter(options.callId)), 'filter GRE by call id');
    connectGre(fd, options);
    this.#drain(options.buffers);
  }

  /** Discards packets that arrived before filter, bind and connect: they may belong to another call. */
  #drain(buffers: PacketBuffers): void {
    for (let index = 0; index < RECEIVE_BATCH; index += 1) buffers.receiveInto(index, index);
    for (let batch = 0; batch < MAX_DRAINED; batch += 1) {
      if (recvmmsg(this.fd, buffers.receiveMessages, RECEIVE_BATCH, MSG_DONTWAIT, 0) < RECEIVE_BATCH) return;
    }
  }
}

/**
 * Binds a GRE socket to the local address and, for a VRF, its device; connects it to the client. Throws
 * SystemCallFailed.
 */
export function connectGre(fd: number, { localAddress, peerAddress, device }: GreAddresses): void {
  if (device !== undefined) checked(bindToDevice(fd, device), `bind GRE to the device ${device}`);
  const local = internetAddress(localAddress);
  checked(bind(fd, local, local.length), `bind GRE to ${localAddress}`);
  connectTo(fd, peerAddress);
}

/** Throws SystemCallFailed. */
export function connectTo(fd: number, peerAddress: string): void {
  const peer = internetAddress(peerAddress);
  checked(connect(fd, peer, peer.length), `connect GRE to ${peerAddress}`);
}
