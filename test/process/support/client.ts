/** A PPTP client that sends what the test tells it, and keeps all messages from the server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import {
  type ControlMessage,
  encode,
  Framer,
  type MessageOf,
  type MessageType,
  TCP_PORT,
} from '../../../src/pptp/index.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS } from './server.js';
import { Arrivals, until, within } from './wait.js';

export const START: MessageOf<'StartControlConnectionRequest'> = {
  type: 'StartControlConnectionRequest',
  protocolVersion: 0x0100,
  framingCapabilities: 3,
  bearerCapabilities: 3,
  maximumChannels: 0,
  firmwareRevision: 0,
  hostName: 'client.example',
  vendorName: 'test',
};

/** A call request like pptp-linux's. */
export const CALL: MessageOf<'OutgoingCallRequest'> = {
  type: 'OutgoingCallRequest',
  callId: 0x1234,
  callSerialNumber: 1,
  minimumBps: 2400,
  maximumBps: 1_000_000_000,
  bearerType: 3,
  framingType: 3,
  receiveWindowSize: 64,
  packetProcessingDelay: 0,
  phoneNumberLength: 0,
  phoneNumber: '',
  subaddress: '',
};

export class Client {
  readonly messages = new Arrivals<ControlMessage>();
  readonly #socket: Socket;
  readonly #framer = new Framer();
  /** The client's address and port as in the server's log, such as `192.0.2.7:40123`. */
  readonly name: string;
  /** Resolves when the connection was closed by the server or failed, however long that takes. */
  readonly whenClosed: Promise<void>;
  /** The connection is closed. */
  isClosed = false;
  /** Whether it answers Echo-Requests, as every client does; if not, they are kept like other messages. */
  answersEchoes = false;
  /** Whether it answers Stop-Control-Connection-Requests, as every client does, so that no server waits for it. */
  answersStop = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.name = `${socket.localAddress}:${socket.localPort}`;
    socket.setNoDelay(true);
    socket.on('error', () => undefined); // 'close' follows
    socket.on('data', (chunk: Buffer) => this.#recv(chunk));
    this.whenClosed = new Promise((resolve) => {
      socket.on('close', () => {
        this.isClosed = true;
        this.messages.end('the connection was closed');
        resolve();
      });
    });
  }

  /** The same, for a test that waits for it; rejects when it takes too long. */
  get closed(): Promise<void> {
    return within(`the connection of ${this.name} to be closed`, this.whenClosed);
  }

  /** Connects without sending anything. */
  static async connect(from: string = CLIENT_ADDRESSES[0]): Promise<Client> {
    const socket = connect({ host: SERVER_ADDRESS, port: TCP_PORT, localAddress: from });
    await once(socket, 'connect');
    return new Client(socket);
  }

  /** Connects and starts the control connection. */
  static async start(from?: string): Promise<Client> {
    const client = await Client.connect(from);
    client.send(START);
    assert.equal((await client.next('StartControlConnectionReply')).resultCode, 1);
    return client;
  }

  /** Connects, starts and calls; the server's reply has the call id to send GRE packets to. */
  static async call(from?: string): Promise<{ client: Client; reply: MessageOf<'OutgoingCallReply'> }> {
    const client = await Client.start(from);
    client.send(CALL);
    const reply = await client.next('OutgoingCallReply');
    assert.equal(reply.resultCode, 1);
    return { client, reply };
  }

  /** Sends all messages in one segment. */
  send(...messages: readonly ControlMessage[]): void {
    this.sendBytes(Buffer.concat(messages.map(encode)));
  }

  /** `taken` is called when the kernel has accepted all bytes, or with an error. */
  sendBytes(bytes: Uint8Array, taken?: (error?: Error | null) => void): void {
    this.#socket.write(bytes, taken);
  }

  /** The next message from the server, which must be of this type. Only messages of types `except` are skipped. */
  async next<T extends MessageType>(type: T, ...except: readonly MessageType[]): Promise<MessageOf<T>> {
    const message: ControlMessage = await this.messages.next(type, (each) => !except.includes(each.type));
    assert(isOf(message, type), `the server sent ${JSON.stringify(message)} instead of ${type}`);
    return message;
  }

  /** Sends an Echo-Request and awaits the reply; the server has then answered everything before it. */
  async echo(identifier = 0x01020304): Promise<void> {
    this.send({ type: 'EchoRequest', identifier });
    const reply = await this.next('EchoReply');
    assert.deepEqual(reply, { type: 'EchoReply', identifier, resultCode: 1, errorCode: 0 });
  }

  /** Resolves when the server has read all that was sent. */
  async delivered(): Promise<void> {
    const here = `:${this.#socket.localPort?.toString(16).toUpperCase().padStart(4, '0')}`;
    await until('the server to read what was sent', () => {
      const lines = readFileSync('/proc/self/net/tcp', 'utf8').split('\n').slice(1);
      // Each connection is listed twice. Fields: number, local address, remote address, state, unsent:unread.
      const ours = lines
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields.slice(1, 3).some((each) => each.endsWith(here)));
      return ours.every(([, , , , queues]) => queues === '00000000:00000000');
    });
  }

  /** Stops reading. It then notices a closed connection only by sending. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Sends a FIN and continues reading. */
  end(): void {
    this.#socket.end();
  }

  /** Closes with a RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  #recv(chunk: Buffer): void {
    this.#framer.push(chunk);
    for (const item of this.#framer) {
      assert(item.ok, `the server sent an invalid message:  ${JSON.stringify(item)}`);
      if (this.answersEchoes && item.message.type === 'EchoRequest') {
        this.send({ type: 'EchoReply', identifier: item.message.identifier, resultCode: 1, errorCode: 0 });
        continue;
      }
      this.messages.add(item.message);
      if (this.answersStop && item.message.type === 'StopControlConnectionRequest')
        this.send({ type: 'StopControlConnectionReply', resultCode: 1, errorCode: 0 });
    }
  }
}

const isOf = <T extends MessageType>(message: ControlMessage, type: T): message is ControlMessage & MessageOf<T> =>
  message.type === type;
