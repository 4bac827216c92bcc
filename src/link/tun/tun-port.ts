/**
 * The relay's port to a TUN device: IP packets in PPP data frames (RFC 1661 §2), encrypted if that was agreed. Super
 * packets of the kernel are cut into frames; TCP segments of the client that follow each other are joined into one
 * write, and TCP acknowledgments that a later one supersedes are left out. Control frames are not the port's: those of the client reach the link by the relay's event, and those for it
 * are queued here.
 */
import { type PacketBuffers, RECEIVE_SLOTS } from '../../gre/packet-buffers.js';
import type { Port, PortFailure } from '../../gre/port.js';
import { noneCountedByTun, type RelayCounters } from '../../gre/relay-counters.js';
import { lastError, read, writev } from '../../sys/batch-io.js';
import { close } from '../../sys/descriptor.js';
import { lastErrno, lastErrorName } from '../../sys/libc.js';
import { type Boxed, boxed, type SharedMemory } from '../../sys/shared-memory.js';
import { MAX_READ, OFFLOAD_HEADER } from '../../sys/tun-device.js';
import type { Framing, Network } from '../builtin/data-path.js';
import { CIPHER_HEADER, FATAL, type FrameCipher, OUT_OF_SYNC } from './frame-cipher.js';
import { Offload, SLACK } from './offload.js';

/** RFC 1662 §3.1. */
const ADDRESS = 0xff;
const CONTROL = 0x03;
const ADDRESS_AND_CONTROL = 2;
/** RFC 1661 §2, RFC 3078 §2. All are below 0x100, so that they can be compressed to one octet. */
const PROTOCOL_IPV4 = 0x0021;
const PROTOCOL_IPV6 = 0x0057;
const PROTOCOL_MPPE = 0x00fd;
/** The first protocol number that is not data. */
const FIRST_CONTROL_PROTOCOL = 0x8000;

const IPV4_HEADER = 20;
const IPV4_SOURCE_AT = 12;
const IPV6_HEADER = 40;
/** The longest headers before an IP packet: address, control, two protocol fields and the cipher's. */
const MAX_PPP_HEADER = 8;
/** The errno of a descriptor whose device was removed, EBADFD; Node has no name for it. */
const DEVICE_REMOVED = 77;
/** Control frames that may be queued. The engine sends few; more mean that the relay is held back. */
const MAX_CONTROLS = 64;

/** What the port cannot decide. `frame` begins with the protocol field, and is valid during the call only. */
export type TunPortEvent =
  /** Encrypted packets were lost: the client must be asked to reset. Emitted for each packet that is dropped. */
  | { readonly type: 'resetNeeded' }
  /** So many packets were nonsense to the cipher that the link must be ended. */
  | { readonly type: 'fatal' }
  | { readonly type: 'unknownProtocol'; readonly protocol: number; readonly frame: Uint8Array };

const NO_NETWORK: Network = { client: null, ipv6: false, mtu: 0 };

export interface TunPortOptions {
  readonly memory: SharedMemory;
  readonly buffers: PacketBuffers;
  readonly onEvent: (event: TunPortEvent) => void;
}

export class TunPort implements Port {
  readonly #memory: SharedMemory;
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  readonly #buffers: PacketBuffers;
  readonly #onEvent: (event: TunPortEvent) => void;
  readonly #offload: Offload;
  readonly #readAt: number;
  readonly #readAddress: Boxed;
  readonly #counted = noneCountedByTun();
  #tun = -1;
  #closed = false;

  #cipher: FrameCipher | null = null;
  #mustEncrypt = true;
  #network = NO_NETWORK;
  #framing: Framing = { compressProtocol: false, compressAddress: false };
  /** Octets before the protocol field that is encrypted, or the only one. */
  #outerHeader = 0;
  #protocolLength = 2;

  readonly #controls: Uint8Array[] = [];
  #frameCount = 0;
  /** A packet was read and is not yet wholly cut. */
  #isCutting = false;
  #protocol = PROTOCOL_IPV4;

  constructor({ memory, buffers, onEvent }: TunPortOptions) {
    this.#memory = memory;
    this.#octets = memory.octets;
    this.#view = memory.view;
    this.#buffers = buffers;
    this.#onEvent = onEvent;
    this.#offload = new Offload(memory, RECEIVE_SLOTS);
    this.#readAt = memory.take(MAX_READ + SLACK);
    this.#readAddress = boxed([memory.address + this.#readAt]);
    this.#layFraming();
  }

  /** Takes over the descriptor of a TUN device (sys/tun-device), which `close` closes. */
  open(tun: number): void {
    this.#tun = tun;
  }

  get fd(): number {
    return this.#tun;
  }

  setFraming(framing: Framing): void {
    this.#framing = framing;
    this.#layFraming();
  }

  /** null: data frames are sent as they are, unless encryption is required. */
  setEncryption(cipher: FrameCipher | null): void {
    this.#cipher = cipher;
    this.#layFraming();
  }

  /** Whether data frames that are not encrypted are dropped, in both directions; initially they are. */
  setRequireEncryption(isRequired: boolean): void {
    this.#mustEncrypt = isRequired;
  }

  /** null: no network protocol is up. A super packet that is being sent is then discarded. */
  setNetwork(network: Network | null): void {
    this.#network = network ?? NO_NETWORK;
    if (network !== null || !this.#isCutting) return;
    this.#offload.drop();
    this.#isCutting = false;
  }

  #layFraming(): void {
    const { compressProtocol, compressAddress } = this.#framing;
    this.#protocolLength = compressProtocol ? 1 : 2;
    const address = compressAddress ? 0 : ADDRESS_AND_CONTROL;
    this.#outerHeader = this.#cipher === null ? address : address + this.#protocolLength + CIPHER_HEADER;
  }

  // From the client to the TUN device. A batch lies in the relay's receive slots until it is flushed.

  readonly isBlocked = false;

  makeRoom(): boolean {
    return true;
  }

  push(at: number, length: number, isControl: boolean): boolean {
    if (isControl) return true;
    const octets = this.#octets;
    const end = at + length;
    const hasAddress = length >= 2 && octets[at] === ADDRESS && octets[at + 1] === CONTROL;
    const protocolAt = hasAddress ? at + ADDRESS_AND_CONTROL : at;
    const protocol = this.#protocolOf(protocolAt, end);
    if (protocol === PROTOCOL_MPPE && this.#cipher !== null) {
      this.#recvEncrypted(this.#cipher, protocolAt + this.#protocolLengthAt(protocolAt), end);
    } else if (this.#mustEncrypt && (protocol === PROTOCOL_IPV4 || protocol === PROTOCOL_IPV6)) {
      this.#counted.rxUnencrypted += 1;
    } else if (protocol === PROTOCOL_MPPE) {
      this.#counted.rxNotReady += 1;
    } else this.#recvPlain(protocol, protocolAt, end);
    return true;
  }

  #recvEncrypted(cipher: FrameCipher, at: number, end: number): void {
    const length = cipher.decrypt(at, end - at);
    if (length < 0) {
      this.#counted.rxUndecryptable += 1;
      if (length === OUT_OF_SYNC) this.#onEvent({ type: 'resetNeeded' });
      else if (length === FATAL) this.#onEvent({ type: 'fatal' });
      return;
    }
    const protocolAt = at + CIPHER_HEADER;
    this.#recvPlain(this.#protocolOf(protocolAt, protocolAt + length), protocolAt, protocolAt + length);
  }

  #recvPlain(protocol: number, protocolAt: number, end: number): void {
    const at = protocolAt + this.#protocolLengthAt(protocolAt);
    switch (protocol) {
      case PROTOCOL_IPV4:
        this.#recvIpv4(at, end - at);
        break;
      case PROTOCOL_IPV6:
        this.#recvIpv6(at, end - at);
        break;
      default:
        this.#recvOther(protocol, protocolAt, end);
    }
  }

  #recvIpv4(at: number, length: number): void {
    const counted = this.#counted;
    const { client } = this.#network;
    if (client === null) counted.rxNotReady += 1;
    else if (length < IPV4_HEADER || this.#versionAt(at) !== 4) counted.rxMalformed += 1;
    else {
      // As pppd does: the routing of the kernel and its rp_filter decide.
      if (this.#view.getUint32(at + IPV4_SOURCE_AT) !== client) counted.rxForeignSource += 1;
      this.#queue(at, length);
    }
  }

  #recvIpv6(at: number, length: number): void {
    const counted = this.#counted;
    if (!this.#network.ipv6) counted.rxNotReady += 1;
    else if (length < IPV6_HEADER || this.#versionAt(at) !== 6) counted.rxMalformed += 1;
    else this.#queue(at, length);
  }

  #recvOther(protocol: number, protocolAt: number, end: number): void {
    // A control frame is here only if it was encrypted, which RFC 3078 §2 does not allow.
    if (protocol <= 0 || protocol >= FIRST_CONTROL_PROTOCOL) {
      this.#counted.rxMalformed += 1;
      return;
    }
    this.#counted.rxUnknownProtocol += 1;
    this.#onEvent({ type: 'unknownProtocol', protocol, frame: this.#octets.subarray(protocolAt, end) });
  }

  #queue(at: number, length: number): void {
    if (this.#offload.push(at, length)) return;
    this.flush();
    this.#offload.push(at, length);
  }

  /** A TUN device takes every packet at once, or refuses it for good. */
  flush(): void {
    const offload = this.#offload;
    const { queued, vectors } = offload;
    if (queued === 0) return;
    let written = 0;
    for (let index = 0; index < queued; index += 1) {
      const segments = offload.prepare(index);
      if (segments === 0) continue;
      written += segments;
      if (writev(this.#tun, vectors, segments) < 0) this.#counted.rxTunRefused += segments;
      else this.#counted.rxJoined += segments - 1;
    }
    this.#counted.rxSuperseded += queued - written;
    offload.clear();
  }

  // A compressed protocol field has one octet, which is odd (RFC 1661 §6.5).

  #protocolLengthAt(at: number): number {
    return (this.#octets[at] ?? 0) & 1 ? 1 : 2;
  }

  /** -1 if the frame ends before its protocol field does. */
  #protocolOf(at: number, end: number): number {
    const first = this.#octets[at] ?? 0;
    if (at + (first & 1 ? 1 : 2) > end) return -1;
    return first & 1 ? first : (first << 8) | (this.#octets[at + 1] ?? 0);
  }

  #versionAt(at: number): number {
    return (this.#octets[at] ?? 0) >> 4;
  }

  // From the TUN device to the client.

  /**
   * Queues a control frame; `Relay.sendQueued` sends it. It is sent as it is, before data that was not yet read.
   */
  queueControl(frame: Uint8Array): void {
    if (frame.length > this.#buffers.frames.limit) throw new RangeError(`a control frame of ${frame.length} octets`);
    if (this.#controls.length === MAX_CONTROLS) this.#counted.txControlFull += 1;
    else this.#controls.push(Uint8Array.from(frame));
  }

  receive(): 'some' | 'none' | PortFailure {
    if (this.#controls.length > 0) this.#takeControls();
    else if (this.#isCutting) this.#cut();
    else {
      const count = read(this.#tun, this.#readAddress[0] ?? 0, MAX_READ);
      if (count <= 0) return this.#readFailed();
      this.#recvFromTun(count);
    }
    return 'some';
  }

  get hasUnread(): boolean {
    return this.#isCutting || this.#controls.length > 0;
  }

  get frameCount(): number {
    return this.#frameCount;
  }

  takeFrames(): void {
    this.#frameCount = 0;
  }

  #readFailed(): 'none' | PortFailure {
    const error = lastError();
    if (error === 'wouldBlock' || error === 'queueFull') return 'none';
    return lastErrno() === DEVICE_REMOVED ? { kind: 'closed' } : { kind: 'unreadable', code: lastErrorName() };
  }

  #takeControls(): void {
    const { capacity } = this.#buffers.frames;
    let taken = 0;
    for (const frame of this.#controls) {
      if (this.#frameCount === capacity) break;
      this.#octets.set(frame, this.#buffers.frameAt(this.#frameCount));
      this.#fill(frame.length);
      taken += 1;
    }
    this.#controls.splice(0, taken);
  }

  #fill(length: number): void {
    this.#memory.words[(this.#buffers.frames.lengthsAt >> 2) + this.#frameCount] = length;
    this.#frameCount += 1;
  }

  #recvFromTun(length: number): void {
    const counted = this.#counted;
    const network = this.#network;
    const isIpv6 = this.#versionAt(this.#readAt + OFFLOAD_HEADER) === 6;
    const isUp = isIpv6 ? network.ipv6 : network.client !== null;
    if (!isUp || (this.#mustEncrypt && this.#cipher === null)) {
      counted.txNotReady += 1;
      return;
    }
    const limit = Math.min(network.mtu, this.#buffers.frames.limit - MAX_PPP_HEADER);
    const packets = this.#offload.open(this.#readAt, length, limit);
    if (packets === this.#offload.tooLong) counted.txTooLong += 1;
    else if (packets < 0) counted.txBadOffload += 1;
    else {
      if (packets > 1) counted.txCut += packets;
      this.#protocol = isIpv6 ? PROTOCOL_IPV6 : PROTOCOL_IPV4;
      this.#isCutting = true;
      this.#cut();
    }
  }

  /** Fills slots until they are full or the packet is wholly cut. */
  #cut(): void {
    const { capacity } = this.#buffers.frames;
    while (this.#frameCount < capacity) {
      const at = this.#buffers.frameAt(this.#frameCount);
      const protocolAt = at + this.#outerHeader;
      const length = this.#offload.cut(protocolAt + this.#protocolLength);
      if (length === 0) {
        this.#isCutting = false;
        return;
      }
      this.#writeProtocol(protocolAt, this.#protocol);
      const frameLength = this.#finishFrame(at, protocolAt, this.#protocolLength + length);
      if (frameLength > 0) this.#fill(frameLength);
      else this.#counted.txNotReady += 1;
    }
  }

  /** Encrypts the frame and writes what comes before it; returns its whole length, 0 if it cannot be sent. */
  #finishFrame(at: number, protocolAt: number, length: number): number {
    let next = at;
    if (!this.#framing.compressAddress) {
      this.#octets[at] = ADDRESS;
      this.#octets[at + 1] = CONTROL;
      next += ADDRESS_AND_CONTROL;
    }
    if (this.#cipher === null) return next - at + length;
    this.#writeProtocol(next, PROTOCOL_MPPE);
    next += this.#protocolLength;
    const encrypted = this.#cipher.encrypt(protocolAt, length);
    return encrypted === 0 ? 0 : next - at + encrypted;
  }

  #writeProtocol(at: number, protocol: number): void {
    if (this.#protocolLength === 2) {
      this.#octets[at] = protocol >> 8;
      this.#octets[at + 1] = protocol;
    } else this.#octets[at] = protocol;
  }

  count(counters: RelayCounters): void {
    Object.assign(counters, this.#counted);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#tun >= 0) close(this.#tun);
  }
}
