/**
 * A client's session with the builtin engine: control connection, PPP with MS-CHAPv2, and MPPE-128 with the keys of that
 * login. Data frames carry IP packets of the load.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { addressNumber } from '../../../src/config/addresses.js';
import { type Call, FRAME_HEADROOM, type Line } from './line.js';
import { type ControlMessage, encode, Framer, TCP_PORT } from '../../../src/pptp/index.js';
import { Mppe, MPPE_HEADER } from '../../../src/mschap/mppe.js';
import { responseV2 } from '../../../src/mschap/ms-chap-v2.js';
import { ntHash } from '../../../src/mschap/password-hash.js';
import { startKeysV2 } from '../../../src/mschap/start-keys.js';
import { monotonicMs } from '../../../src/sys/clock.js';
import { Client } from '../../unit/ppp/engine/peer.js';
import { SERVER_ADDRESS } from '../network.js';
import { PASSWORD, USER } from './account.js';

const NT_RESPONSE_AT = 24;
const NT_RESPONSE = 24;
/** ff 03 00fd, MPPE's header, 0021: what an IP packet of the client has before it. */
export const PPP_HEADER = 8;
const ADDRESS_AND_CONTROL = 2;
const PROTOCOL_FIELD = 2;
const OUTER_HEADER = ADDRESS_AND_CONTROL + PROTOCOL_FIELD + MPPE_HEADER;
const ENCRYPTED = 0xfd;
const IPV4 = 0x21;
/** Octets that must be free before an IP packet that is sent. */
export const PACKET_HEADROOM = FRAME_HEADROOM + PPP_HEADER;
const MAX_FRAME = 2000;

export class Session {
  readonly #line: Line;
  readonly #call: Call;
  readonly #socket: Socket;
  readonly #framer = new Framer();
  readonly #mppe: Mppe | null;
  readonly #ppp: Client;
  readonly #controlAt: number;
  #ntResponse: Uint8Array = new Uint8Array(NT_RESPONSE);
  #isEncrypted = false;
  /** An IPv4 packet in the shared memory, valid during the call. */
  recvPacket: (at: number, length: number) => void = () => undefined;

  /** `withData`: it can send and receive packets. The shared memory has room for few such sessions. */
  constructor(line: Line, { address, callId, withData }: { address: string; callId: number; withData: boolean }) {
    this.#line = line;
    this.#mppe = withData ? new Mppe(line.memory) : null;
    this.#controlAt = line.memory.take(FRAME_HEADROOM + MAX_FRAME) + FRAME_HEADROOM;
    this.#call = {
      address: numberOf(address),
      callId,
      peerCallId: 0,
      sequence: 0,
      received: -1,
      acknowledged: -1,
      recvFrame: (at, length) => this.#recvFrame(at, length),
    };
    line.add(this.#call);
    this.#ppp = new Client({ name: USER, dns: false, respond: (challenge) => this.#respond(challenge) }, randomBytes);
    this.#ppp.onFrame = (frame) => this.#sendControl(frame);
    this.#socket = connect({ host: SERVER_ADDRESS, port: TCP_PORT, localAddress: address });
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (octets: Buffer) => this.#recvControl(octets));
  }

  /** Sends the start request once TCP is connected; PPP follows. */
  async start(): Promise<void> {
    await once(this.#socket, 'connect');
    this.#sendMessage({
      type: 'StartControlConnectionRequest',
      protocolVersion: 0x0100,
      framingCapabilities: 3,
      bearerCapabilities: 3,
      maximumChannels: 0,
      firmwareRevision: 0,
      hostName: '',
      vendorName: '',
    });
  }

  get isUp(): boolean {
    return this.#ppp.ipcp.isOpen && this.#ppp.ccp.isOpen;
  }

  /** The address inside the tunnel. */
  get address(): number {
    return numberOf(this.#ppp.ipcp.exchange.own.address ?? '');
  }

  get call(): Call {
    return this.#call;
  }

  /** Encrypts and sends the IP packet at `at`, which is spoiled. */
  sendPacket(at: number, length: number): void {
    this.#encrypt();
    const { octets } = this.#line.memory;
    octets[at - 1] = IPV4;
    octets[at - 2] = 0;
    const encrypted = this.#mppe?.encrypt(at - PROTOCOL_FIELD, length + PROTOCOL_FIELD) ?? 0;
    const frame = at - PPP_HEADER;
    octets[frame] = 0xff;
    octets[frame + 1] = 0x03;
    octets[frame + 2] = 0;
    octets[frame + 3] = ENCRYPTED;
    this.#line.send(this.#call, frame, OUTER_HEADER - MPPE_HEADER + encrypted);
  }

  close(): void {
    this.#socket.destroy();
  }

  #respond(challenge: Uint8Array): Uint8Array {
    const response = responseV2({
      ntHash: ntHash(PASSWORD),
      name: Buffer.from(USER),
      challenge,
      clientChallenge: randomBytes(challenge.length),
    });
    this.#ntResponse = response.slice(NT_RESPONSE_AT, NT_RESPONSE_AT + NT_RESPONSE);
    return response;
  }

  #sendMessage(message: ControlMessage): void {
    this.#socket.write(encode(message));
  }

  #recvControl(octets: Buffer): void {
    this.#framer.push(octets);
    for (const item of this.#framer) {
      if (!item.ok) continue;
      const { message } = item;
      if (message.type === 'StartControlConnectionReply') {
        this.#sendMessage({
          type: 'OutgoingCallRequest',
          callId: this.#call.callId,
          callSerialNumber: 1,
          minimumBps: 300,
          maximumBps: 100_000_000,
          bearerType: 3,
          framingType: 3,
          receiveWindowSize: 64,
          packetProcessingDelay: 0,
          phoneNumberLength: 0,
          phoneNumber: '',
          subaddress: '',
        });
      } else if (message.type === 'OutgoingCallReply' && message.resultCode === 1) {
        this.#call.peerCallId = message.callId;
        this.#ppp.start(monotonicMs());
      }
    }
  }

  #sendControl(frame: Uint8Array): void {
    this.#line.memory.octets.set(frame, this.#controlAt);
    this.#line.send(this.#call, this.#controlAt, frame.length);
  }

  #recvFrame(at: number, length: number): void {
    const { octets } = this.#line.memory;
    // The server leaves out the address and compresses protocol fields, as the client has allowed.
    if (octets[at] !== ENCRYPTED) {
      if (length > 0) this.#ppp.recv(octets.slice(at, at + length), monotonicMs());
      return;
    }
    if (this.#mppe === null) return;
    this.#encrypt();
    const plain = this.#mppe.decrypt(at + 1, length - 1);
    const packet = at + 1 + MPPE_HEADER + 1;
    if (plain < 0) this.#line.wrong.add(`MPPE: not decrypted (${plain})`, at, length);
    else if (octets[packet - 1] !== IPV4) this.#line.wrong.add('MPPE: decrypted to no IPv4 packet', at, length);
    else this.recvPacket(packet, plain - 1);
  }

  /** The keys of the login, from the client's side; before the first packet of either side. */
  #encrypt(): void {
    if (this.#isEncrypted) return;
    this.#isEncrypted = true;
    const { send, receive } = startKeysV2(ntHash(PASSWORD), this.#ntResponse);
    this.#mppe?.start({ send: receive, receive: send, weak: null }, { bits: 128, stateless: true });
  }
}

function numberOf(address: string): number {
  const number = addressNumber(address);
  if (number === null) throw new Error(`'${address}' is no address`);
  return number;
}
