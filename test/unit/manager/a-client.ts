/** A client that has been admitted, in memory: its socket, what was read of it, and whether it has left. */
import type { Socket } from 'node:net';
import type { Client } from '../../../src/manager/admission.js';
import { ClientSocket } from '../ctrl/client-socket.js';

export class AClient implements Client {
  readonly connection = new ClientSocket();
  readonly socket = this.connection as unknown as Socket;
  readonly peer: Client['peer'];
  readonly localAddress = '192.0.2.1';
  readonly admittedAt: number;
  hasLeft = false;
  bytes = 'what was read';

  constructor(address = '198.51.100.7', admittedAt = 0) {
    this.peer = { address, port: 40_123 };
    this.admittedAt = admittedAt;
  }

  takeBytes(): Buffer {
    return Buffer.from(this.bytes);
  }
}
