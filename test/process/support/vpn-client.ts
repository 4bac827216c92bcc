/**
 * A whole client: control connection, GRE, PPP with MS-CHAPv2 and MPPE, and the IP packets that come out of it. It is made
 * of the rules of a client and of this program's codecs; a real client (pptp-linux with pppd) is the lab's.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { MessageOf } from '../../../src/pptp/index.js';
import { Mppe, type MppeMode } from '../../../src/mschap/mppe.js';
import { responseV2 } from '../../../src/mschap/ms-chap-v2.js';
import { ntHash } from '../../../src/mschap/password-hash.js';
import { startKeysV2 } from '../../../src/mschap/start-keys.js';
import type { MppeOffer } from '../../../src/ppp/options.js';
import { monotonicMs } from '../../../src/sys/clock.js';
import { SharedMemory } from '../../../src/sys/shared-memory.js';
import { type ClientSettings, Client as Ppp } from '../../unit/ppp/engine/peer.js';
import { CALL, Client } from './client.js';
import { type GreFields, buildGre, readGre } from './gre-packet.js';
import { openGreSocket } from './gre-socket.js';
import { echoRequest, replyData } from './icmp.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, TUNNEL_LOCAL } from './server.js';
import { parseFrame } from './tunnel.js';
import { until } from './wait.js';

const IPV4 = 0x0021;
const IPV6 = 0x0057;
const MPPE = 0x00fd;
const FIRST_CONTROL_PROTOCOL = 0x8000;
const MPPE_HEADER = 2;
/** RFC 2759 §4: where the NT-Response lies in a response. */
const NT_RESPONSE = [24, 48] as const;
const LONGEST = 2048;
/** Until an echo request is sent again: the server takes data when its interface is configured. */
const ECHO_AGAIN_MS = 200;

export interface VpnClientOptions {
  readonly from?: string;
  readonly callId?: number;
  readonly user?: string;
  readonly password?: string;
  readonly ppp?: Partial<ClientSettings>;
}

export const USER = 'alice';
export const PASSWORD = 'wonderland';

export class VpnClient {
  readonly client: Client;
  readonly reply: MessageOf<'OutgoingCallReply'>;
  readonly ppp: Ppp;
  /** Takes each IP packet from the server. */
  onPacket: (packet: Buffer) => void = () => undefined;
  /** The server's control frames, as they came. */
  readonly controls: Buffer[] = [];
  readonly from: string;
  readonly #callId: number;
  readonly #socket: ReturnType<typeof openGreSocket>;
  readonly #memory = new SharedMemory();
  readonly #mppe = new Mppe(this.#memory);
  readonly #at = this.#memory.take(LONGEST);
  #isEncrypted = false;
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #received: number | null = null;
  #ntResponse: Uint8Array | null = null;
  readonly #password: string;
  #answers: Buffer[] = [];
  #echoes = 0;
  #isClosed = false;

  private constructor(
    client: Client,
    reply: MessageOf<'OutgoingCallReply'>,
    socket: ReturnType<typeof openGreSocket>,
    options: VpnClientOptions,
  ) {
    const { from = CLIENT_ADDRESSES[0], callId = CALL.callId, user = USER, password = PASSWORD } = options;
    this.client = client;
    this.reply = reply;
    this.from = from;
    this.#callId = callId;
    this.#socket = socket;
    this.#password = password;
    this.ppp = new Ppp(
      { name: user, respond: (challenge) => this.#respond(user, challenge), ...options.ppp },
      (length) => randomBytes(length),
    );
    this.ppp.onFrame = (frame) => this.sendFrame(frame);
    socket.on('message', (packet) => this.#recv(packet));
  }

  /** Connects, starts and calls; PPP begins with `negotiate` or `logIn`. */
  static async call(t: TestContext, options: VpnClientOptions = {}): Promise<VpnClient> {
    const { from = CLIENT_ADDRESSES[0], callId = CALL.callId } = options;
    const client = await Client.start(from);
    client.answersEchoes = true;
    return VpnClient.#call(t, client, { ...options, from, callId });
  }

  /** Calls without waiting for the reply. */
  static async dials(
    t: TestContext,
    { from, callId }: { readonly from: string; readonly callId: number },
  ): Promise<Client> {
    const client = await Client.start(from);
    t.after(() => client.reset());
    client.answersEchoes = true;
    client.send({ ...CALL, callId });
    return client;
  }

  static async #call(t: TestContext, client: Client, options: VpnClientOptions & { from: string; callId: number }) {
    const socket = openGreSocket(options.from);
    client.send({ ...CALL, callId: options.callId });
    const reply = await client.next('OutgoingCallReply');
    if (reply.resultCode !== 1) socket.close();
    assert.equal(reply.resultCode, 1, `the call was refused with error ${reply.errorCode}`);
    const vpn = new VpnClient(client, reply, socket, options);
    t.after(() => vpn.close());
    return vpn;
  }

  /** Another call on this control connection. */
  async callAgain(t: TestContext, callId: number): Promise<VpnClient> {
    return VpnClient.#call(t, this.client, { from: this.from, callId });
  }

  static async loggedIn(t: TestContext, options: VpnClientOptions = {}): Promise<VpnClient> {
    const vpn = await VpnClient.call(t, options);
    await vpn.logIn();
    return vpn;
  }

  /** Begins PPP. */
  negotiate(): void {
    this.ppp.start(monotonicMs());
    this.#drive();
  }

  /** Begins PPP; resolves when an echo has gone through the tunnel and come back. */
  async logIn(): Promise<void> {
    this.negotiate();
    await until('IPCP to open', () => {
      if (this.#isClosed || this.client.isClosed) throw new Error(`the session of ${this.client.name} has ended`);
      return this.ppp.ipcp.isOpen;
    });
    await this.echo();
  }

  /** The address that it was given. */
  get address(): string {
    return this.ppp.ipcp.exchange.own.address ?? assert.fail('it has no address');
  }

  /** An echo through the tunnel by the server's kernel, asked for again until it comes. */
  async echo(to = TUNNEL_LOCAL): Promise<void> {
    const data = this.#nextData();
    let askedAt = -Infinity;
    await until(`an echo from ${to}`, () => {
      if (performance.now() - askedAt > ECHO_AGAIN_MS) {
        this.sendPacket(echoRequest(this.address, to, data));
        askedAt = performance.now();
      }
      return this.#answers.some((each) => each.equals(data));
    });
    this.#answers = [];
  }

  /** One echo request, and its reply: nothing may be lost. */
  async echoOnce(to = TUNNEL_LOCAL): Promise<void> {
    const data = this.#nextData();
    this.sendPacket(echoRequest(this.address, to, data));
    await until(`the echo to the one request to ${to}`, () => this.#answers.some((each) => each.equals(data)));
    this.#answers = [];
  }

  #nextData(): Buffer {
    this.#echoes += 1;
    return Buffer.from(`${this.from} ${this.#callId} ${this.#echoes} `.padEnd(56, '.'));
  }

  /** Sends an IP packet through the tunnel. */
  sendPacket(packet: Buffer): void {
    this.sendFrame(this.frameOf((packet[0] ?? 0) >> 4 === 6 ? IPV6 : IPV4, packet));
  }

  /** The PPP frame of a packet, encrypted if that was agreed on. */
  frameOf(protocol: number, packet: Buffer): Buffer {
    const plain = Buffer.concat([Buffer.of(protocol >> 8, protocol & 0xff), packet]);
    return Buffer.concat([Buffer.of(0xff, 0x03), this.#isEncrypted ? this.#encrypted(plain) : plain]);
  }

  #encrypted(plain: Buffer): Buffer {
    const { octets } = this.#memory;
    octets.set(plain, this.#at + MPPE_HEADER);
    const length = this.#mppe.encrypt(this.#at + MPPE_HEADER, plain.length);
    return Buffer.concat([Buffer.of(MPPE >> 8, MPPE & 0xff), octets.subarray(this.#at, this.#at + length)]);
  }

  /** Sends a PPP frame as it is. */
  sendFrame(frame: Uint8Array): void {
    const acknowledgment = this.#received;
    this.sendGre({
      sequence: this.#sent++,
      ...(acknowledgment === null ? {} : { acknowledgment }),
      payload: frame,
    });
  }

  sendGre(fields: Omit<Partial<GreFields>, 'from' | 'to'>): void {
    if (this.#isClosed) return;
    const packet = buildGre({ from: this.from, to: SERVER_ADDRESS, callId: this.reply.callId, ...fields });
    this.#socket.send(packet, 0, packet.length, SERVER_ADDRESS, () => undefined);
  }

  /** The control connection has been closed. */
  async gone(): Promise<void> {
    await this.client.closed;
  }

  /** Ends in order. */
  async leave(): Promise<void> {
    this.client.send({ type: 'StopControlConnectionRequest', reason: 1 });
    await this.gone();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket.close();
    this.client.reset();
  }

  #respond(user: string, challenge: Uint8Array): Uint8Array {
    const [name, clientChallenge] = [Buffer.from(user), randomBytes(16)];
    const response = responseV2({ ntHash: ntHash(this.#password), name, challenge, clientChallenge });
    this.#ntResponse = response.subarray(...NT_RESPONSE);
    return response;
  }

  #recv(packet: Buffer): void {
    const { callId, sequence, payload } = readGre(packet);
    if (callId !== this.#callId || sequence === null || this.#isClosed) return;
    this.#received = sequence;
    const frame = parseFrame(payload);
    if (frame === null) return;
    if (frame.protocol >= FIRST_CONTROL_PROTOCOL) {
      this.controls.push(payload);
      this.ppp.recv(payload, monotonicMs());
      this.#drive();
    } else this.#recvData(frame);
  }

  #recvData({ protocol, data }: Frame): void {
    if (protocol === MPPE) {
      const frame = this.#decrypted(data);
      if (frame !== null) this.#recvPacket(frame);
    } else {
      assert(!this.#isEncrypted, `the server has sent data of protocol ${protocol} that is not encrypted`);
      this.#recvPacket({ protocol, data });
    }
  }

  #recvPacket({ protocol, data }: Frame): void {
    if (protocol !== IPV4 && protocol !== IPV6) return;
    const reply = replyData(data);
    if (reply !== null) this.#answers.push(Buffer.from(reply));
    this.onPacket(data);
  }

  #decrypted(data: Buffer): Frame | null {
    const { octets } = this.#memory;
    octets.set(data, this.#at);
    const length = this.#mppe.decrypt(this.#at, data.length);
    const at = this.#at + MPPE_HEADER;
    return length < 0 ? null : parseFrame(Buffer.from(octets.subarray(at, at + length)));
  }

  /** After every call of PPP. */
  #drive(): void {
    if (this.ppp.ccp.isOpen && !this.#isEncrypted) this.#encrypt();
    // As pppd does, which never types another password.
    if (this.ppp.failures.length > 0 && this.ppp.lcp.isOpen) this.ppp.lcp.close('Authentication failed');
    clearTimeout(this.#timer);
    const { deadline } = this.ppp;
    if (deadline === null || this.#isClosed) return;
    const tick = (): void => {
      this.ppp.tick(monotonicMs());
      this.#drive();
    };
    this.#timer = setTimeout(tick, Math.max(1, deadline - monotonicMs()));
  }

  #encrypt(): void {
    const { own, peer } = this.ppp.ccp.exchange;
    if (own.mppe === undefined || peer.mppe === undefined || this.#ntResponse === null) return;
    const { send, receive, weak } = startKeysV2(ntHash(this.#password), this.#ntResponse);
    // The server's keys: ours are the other way round.
    this.#mppe.start({ send: receive, receive: send, weak }, modeOf(peer.mppe), modeOf(own.mppe));
    this.#isEncrypted = true;
  }
}

type Frame = NonNullable<ReturnType<typeof parseFrame>>;

const modeOf = ({ keys, stateless }: MppeOffer): MppeMode => ({ bits: keys[0] ?? 128, stateless });
