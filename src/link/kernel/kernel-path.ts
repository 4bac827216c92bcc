/**
 * The data path in the kernel: its PPTP driver carries data between GRE and the interface, and ppp_mppe encrypts. The worker
 * sees control frames only: LCP and the login from the channel, CCP and network protocols from the unit. What the kernel leaves
 * out the worker adds: acknowledgments without data (acknowledging), and a guard against data that is not encrypted
 * (packet-filters).
 */
import { type Direction, type FrameTap, RECEIVE_WINDOW } from '../../gre/relay.js';
import { advance, distance } from '../../gre/serial.js';
import { StraySocket } from '../../gre/stray-socket.js';
import type { StartKeys } from '../../mschap/start-keys.js';
import { monotonicMs } from '../../sys/clock.js';
import { InterfaceStatistics, type InterfaceTraffic } from '../../sys/interface-statistics.js';
import { SystemCallFailed } from '../../sys/libc.js';
import { InterfaceQueries } from '../../sys/network-interface.js';
import { Poller } from '../../sys/poller.js';
import {
  closeKernelTunnel,
  filterCall,
  type KernelTunnel,
  PPP_FLAGS,
  pppFlags,
  readFrame,
  setCompressor,
  setPppFlags,
  setProtocolMode,
  setReceiveUnit,
  writeFrame,
} from '../../sys/ppp-device.js';
import {
  type DataPath,
  type DataPathEvent,
  type DataPathOptions,
  type Framing,
  type Network,
  PathNotOpened,
} from '../builtin/data-path.js';
import type { EndCause } from '../end-cause.js';
import { greCause } from '../gre-cause.js';
import type { LinkCounters } from '../link.js';
import { deviceCause } from '../monitor-cause.js';
import { MonitorError } from '../../monitor/monitor-failure.js';
import { Acknowledging } from './acknowledging.js';
import { ccpPacket, compressorOf, isForSending } from './mppe-option.js';
import { guard, type GuardState, RENEGOTIATING } from './packet-filters.js';
import { type Sample, SampleSocket } from './sample-socket.js';

/** RFC 1661 §2, RFC 1332, RFC 5072, RFC 3078. */
const IPV4 = 0x0021;
const IPV6 = 0x0057;
const MPPE = 0x00fd;
const FIRST_CONTROL_PROTOCOL = 0x8000;
/** The kernel leaves protocols from here on to the channel. */
const FIRST_CHANNEL_PROTOCOL = 0xc000;
const ADDRESS_AND_CONTROL = 2;
const PROTOCOL_FIELD = 2;
/** As with the other path; a client may send more than the MRU that it was told. Octets. */
const MAX_FRAME = 2000;
/** Frames per turn, so that the control connection is never delayed. */
const FRAMES_PER_TURN = 64;

/** Another call has these ids: of this kernel, in any network namespace, or of the same client. */
const CALL_TAKEN: readonly string[] = ['EBUSY', 'EALREADY', 'EADDRINUSE'];

const protocolOf = (frame: Uint8Array): number => ((frame[0] ?? 0) << 8) | (frame[1] ?? 0);

/** What counters count beside the interface. */
interface Beside {
  rxPackets: number;
  rxBytes: number;
  txPackets: number;
  txBytes: number;
}

interface Open {
  readonly tunnel: KernelTunnel;
  readonly poller: Poller;
  readonly samples: SampleSocket;
  readonly statistics: InterfaceStatistics;
  /** The interface's number. */
  readonly index: number;
  readonly acknowledging: Acknowledging;
}

export class KernelPath implements DataPath {
  readonly kind = 'kernel';
  /** ppp_mppe has no 56 bits. */
  readonly keyLengths = [128, 40] as const;
  readonly #frame = Buffer.alloc(MAX_FRAME + PROTOCOL_FIELD);
  readonly #beside: Beside = { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0 };
  /** null before it is open, and after `close`. */
  #open: Open | null = null;
  #onEvent: (event: DataPathEvent) => void = () => undefined;
  #closed = false;
  #failed = false;
  /** The last known; the interface goes with the path. */
  #traffic: InterfaceTraffic = { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0 };
  /** null before the path is open, and once the client has sent a frame. */
  #strays: StraySocket | null = null;
  /** What strays are; without those that there were none of. */
  readonly #faults: Partial<LinkCounters> = {};
  #acksSentAlone = 0;
  #rxUndecryptable = 0;
  #lookTimer: NodeJS.Timeout | undefined;
  /** What the filter of the sample socket was made for. */
  #sampled: Acknowledging['state'] | null = null;
  /** The highest sequence number of a sample; null before the first. */
  #sequence: number | null = null;
  #mustEncrypt = true;
  #tap: FrameTap | null = null;
  #keys: StartKeys | null = null;
  #isEncrypted = false;
  #network: Network | null = null;
  #isHeld = false;

  async open({ monitor, call, onEvent }: DataPathOptions): Promise<string> {
    this.#onEvent = onEvent;
    const { localAddress, peerAddress, localCallId, peerCallId, configuration } = call;
    const tunnel = await monitor.openKernel(peerCallId).catch((error: unknown) => {
      throw new PathNotOpened(deviceCause(error), isCallTaken(error));
    });
    if (this.#closed) {
      closeKernelTunnel(tunnel);
      return tunnel.name;
    }
    try {
      prepare(tunnel);
    } catch (error) {
      closeKernelTunnel(tunnel);
      throw new PathNotOpened(stepCause(error));
    }
    try {
      const { vrf: device } = configuration.listen;
      this.#start(tunnel, new SampleSocket({ localAddress, peerAddress, localCallId, peerCallId, device }));
      this.#strays = new StraySocket({ localAddress, peerAddress, callId: localCallId, device });
    } catch (error) {
      closeKernelTunnel(tunnel);
      throw new PathNotOpened(greCause(error));
    }
    return tunnel.name;
  }

  #start(tunnel: KernelTunnel, samples: SampleSocket): void {
    const [statistics, index] = [new InterfaceStatistics(), indexOf(tunnel.name)];
    const poller = new Poller(() => this.#turn());
    const traffic = (): { fromClient: number; toClient: number } => {
      const { rxPackets, txPackets } = this.#readTraffic();
      return { fromClient: rxPackets, toClient: txPackets };
    };
    const acknowledging = new Acknowledging({ window: RECEIVE_WINDOW, traffic, now: monotonicMs() });
    this.#open = { tunnel, poller, samples, statistics, index, acknowledging };
    for (const fd of [tunnel.channel, tunnel.unit, samples.fd]) poller.watch(fd, true, false);
    this.#sample();
  }

  // Control frames.

  send(frame: Uint8Array): void {
    if (this.#open === null || this.#isHeld) return;
    const { tunnel } = this.#open;
    const body = frame.subarray(ADDRESS_AND_CONTROL);
    const isOfChannel = protocolOf(body) >= FIRST_CHANNEL_PROTOCOL;
    this.#try(() => {
      this.#prepareFor(tunnel, frame);
      if (!writeFrame(isOfChannel ? tunnel.channel : tunnel.unit, body)) return;
      if (isOfChannel) {
        this.#beside.txPackets += 1;
        this.#beside.txBytes += body.length - PROTOCOL_FIELD;
      }
      this.#show('toClient', frame);
    });
  }

  /** The kernel's compressors begin with the Configure-Acks that pass, and stop with what renegotiates. */
  #prepareFor({ unit }: KernelTunnel, frame: Uint8Array): void {
    const ccp = ccpPacket(frame);
    if (ccp === null) return;
    if (RENEGOTIATING.some((code) => code === ccp.code)) this.#passNothing();
    // A repeated Configure-Ack is sent while encryption runs: another compressor would begin with the first keys again.
    if (ccp.mppe === null || this.#keys === null || this.#isEncrypted) return;
    const forSending = isForSending(ccp);
    setCompressor(unit, compressorOf(ccp.mppe, this.#keys, forSending), forSending);
  }

  /** `send` sends at once. */
  flush(): void {}

  #turn(): void {
    const { tunnel } = this.#open ?? {};
    if (tunnel === undefined) return;
    for (const fd of [tunnel.channel, tunnel.unit]) {
      for (let count = 0; count < FRAMES_PER_TURN && this.#open !== null; count += 1) {
        const length = readFrame(fd, this.#frame);
        if (length === null) break;
        if (length === 'ended') {
          this.#end({ kind: 'device', problem: 'its network interface was removed' });
          return;
        }
        this.#recv(fd === tunnel.channel, this.#frame.subarray(0, length));
      }
    }
    this.#readSamples();
  }

  #recv(isOfChannel: boolean, frame: Uint8Array): void {
    const protocol = protocolOf(frame);
    if (isOfChannel) this.#countReceived(frame.length - PROTOCOL_FIELD);
    this.#closeStrays();
    if (protocol >= FIRST_CONTROL_PROTOCOL) this.#show('fromClient', frame);
    else if (protocol === MPPE) this.#recvUndecrypted();
    else this.#onEvent({ type: 'unknownProtocol', protocol, information: frame.subarray(PROTOCOL_FIELD) });
  }

  /** The kernel decrypts nothing more before it sees a CCP Reset-Ack. */
  #recvUndecrypted(): void {
    this.#rxUndecryptable += 1;
    this.#try(() => {
      const hasFailed = (this.#unitFlags() & PPP_FLAGS.decompressionFailed) !== 0;
      this.#onEvent({ type: hasFailed ? 'fatal' : 'resetNeeded' });
    });
  }

  #closeStrays(): void {
    this.#strays?.close();
    this.#strays = null;
  }

  #show(direction: Direction, frame: Uint8Array): void {
    this.#tap?.(direction, frame);
    this.#onEvent({ type: 'control', direction, frame });
  }

  #countReceived(octets: number): void {
    this.#beside.rxPackets += 1;
    this.#beside.rxBytes += octets;
  }

  // Acknowledgments.

  #readSamples(): void {
    let last: number | null = null;
    for (let count = 0; count < FRAMES_PER_TURN && this.#open !== null; count += 1) {
      const sample = this.#open.samples.read();
      if (sample === null) break;
      last = sample.sequence;
      this.#recvSample(sample);
    }
    const open = this.#open;
    if (last === null || open === null || this.#sequence === null || this.#isHeld) return;
    // Counts what has arrived before the client may go on.
    open.acknowledging.recvSample(monotonicMs());
    this.#acknowledge(this.#sequence);
    this.#sample();
  }

  #acknowledge(sequence: number): void {
    if (this.#open?.samples.acknowledge(sequence) === true) this.#acksSentAlone += 1;
  }

  /** Of packets without a sample the interface knows the number only: each has a sequence number of its own, or more. */
  #acknowledgeUnseen(count: number): void {
    if (count === 0 || this.#sequence === null || this.#isHeld) return;
    this.#sequence = advance(this.#sequence, count);
    this.#acknowledge(this.#sequence);
  }

  #recvSample({ sequence, frame }: Sample): void {
    const ccp = this.#isEncrypted ? ccpPacket(frame) : null;
    if (ccp !== null && RENEGOTIATING.some((code) => code === ccp.code)) {
      // The kernel has not seen it, so its sequence number, which may be forged, says nothing.
      this.#countReceived(frame.length);
      this.#show('fromClient', frame);
      return;
    }
    // The kernel takes no packet that is late, either.
    if (this.#sequence === null || distance(this.#sequence, sequence) > 0) this.#sequence = sequence;
  }

  /** What has come before the guard was set came to the kernel, too. */
  #dropSamples(): void {
    for (let sample = this.#open?.samples.read(); sample != null; sample = this.#open?.samples.read())
      this.#sequence = sample.sequence;
    this.#open?.acknowledging.recvSample(monotonicMs());
  }

  /** Puts into force what `acknowledging` has decided. */
  #sample(): void {
    if (this.#open === null) return;
    const { samples, acknowledging } = this.#open;
    const { state, deadline } = acknowledging;
    if (state !== this.#sampled) {
      this.#sampled = state;
      this.#try(() => samples.listen(state, this.#guardState));
    }
    clearTimeout(this.#lookTimer);
    if (deadline === null) return;
    const wait = Math.max(1, deadline - monotonicMs());
    this.#lookTimer = setTimeout(() => {
      this.#acknowledgeUnseen(acknowledging.tick(monotonicMs()));
      this.#sample();
    }, wait);
  }

  // What PPP has agreed.

  setFraming({ compressProtocol, compressAddress }: Framing): void {
    const flags =
      (compressProtocol ? PPP_FLAGS.compressProtocol : 0) | (compressAddress ? PPP_FLAGS.compressAddress : 0);
    this.#change(({ channel }) => setPppFlags(channel, flags));
  }

  setRequireEncryption(isRequired: boolean): void {
    this.#mustEncrypt = isRequired;
    this.#setFlags();
    this.#setGuard();
  }

  setKeys(keys: StartKeys): void {
    this.#keys = keys;
    this.#setFlags();
  }

  /** Ends the path when the kernel does not encrypt in both directions. */
  encrypt(): void {
    this.#isEncrypted = true;
    // Before it is looked whether the kernel encrypts: nothing can stop it afterwards.
    this.#setGuard();
    this.#dropSamples();
    this.#setFlags();
    this.#try(() => {
      const both = PPP_FLAGS.compressing | PPP_FLAGS.decompressing;
      if ((this.#unitFlags() & both) === both) return;
      this.#end({ kind: 'device', problem: 'the PPP driver of the kernel has not begun to encrypt' });
    });
  }

  stopEncryption(): void {
    this.#isEncrypted = false;
    this.#keys = null;
    this.#passNothing();
    this.#setFlags();
    this.#setGuard();
  }

  /** The kernel does it when the Reset-Ack passes. */
  flushNext(): void {}

  setNetwork(network: Network | null): void {
    this.#network = network;
    this.#passNetwork();
  }

  /** The client's data is dropped meanwhile, too: the kernel knows no difference. */
  holdBack(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#passNetwork();
  }

  #passNothing(): void {
    this.#network = null;
    this.#passNetwork();
  }

  #passNetwork(): void {
    const passes = (isUp: boolean): 'pass' | 'drop' => (isUp && !this.#isHeld ? 'pass' : 'drop');
    const { client = null, ipv6 = false } = this.#network ?? {};
    this.#change(({ unit }) => {
      setProtocolMode(unit, IPV4, passes(client !== null));
      setProtocolMode(unit, IPV6, passes(ipv6));
    });
  }

  #setFlags(): void {
    const flags =
      (this.#mustEncrypt ? PPP_FLAGS.mustCompress : 0) |
      (this.#keys === null ? 0 : PPP_FLAGS.ccpOpen) |
      (this.#isEncrypted ? PPP_FLAGS.ccpUp : 0);
    this.#change(({ unit }) => setPppFlags(unit, flags));
  }

  #setGuard(): void {
    this.#change(({ socket }) => filterCall(socket, guard(this.#guardState)));
    this.#sampled = null;
    this.#sample();
  }

  get #guardState(): GuardState {
    if (this.#isEncrypted) return 'sealed';
    return this.#mustEncrypt ? 'encrypted' : 'open';
  }

  #unitFlags(): number {
    return this.#open === null ? 0 : pppFlags(this.#open.tunnel.unit);
  }

  /** The tap gets control frames only: data does not come here, and `pptpd-ts capture` says so. */
  setTap(tap: FrameTap | null): void {
    this.#tap = tap;
  }

  // Counters.

  counters(): LinkCounters | null {
    if (this.#open === null && !this.#closed) return null;
    const interfaceTraffic = this.#readTraffic();
    const beside = this.#beside;
    return {
      rxPackets: interfaceTraffic.rxPackets + beside.rxPackets,
      rxBytes: interfaceTraffic.rxBytes + beside.rxBytes,
      txPackets: interfaceTraffic.txPackets + beside.txPackets,
      txBytes: interfaceTraffic.txBytes + beside.txBytes,
      rxUndecryptable: this.#rxUndecryptable,
      acksSentAlone: this.#acksSentAlone,
      ...this.#faults,
    };
  }

  #readTraffic(): InterfaceTraffic {
    this.#traffic = this.#open?.statistics.read(this.#open.index) ?? this.#traffic;
    return this.#traffic;
  }

  countStrays(): void {
    this.#strays?.countInto(this.#faults);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#lookTimer);
    this.countStrays();
    this.#closeStrays();
    if (this.#open === null) return;
    this.#readTraffic();
    const { tunnel, poller, samples, statistics } = this.#open;
    this.#open = null;
    poller.close();
    samples.close();
    statistics.close();
    closeKernelTunnel(tunnel);
  }

  #change(step: (tunnel: KernelTunnel) => void): void {
    const { tunnel } = this.#open ?? {};
    if (tunnel !== undefined) this.#try(() => step(tunnel));
  }

  #try(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#end(stepCause(error));
    }
  }

  /** The owner closes it; nothing more is read until then. */
  #end(cause: EndCause): void {
    const open = this.#open;
    if (open === null || this.#failed) return;
    this.#failed = true;
    for (const fd of [open.tunnel.channel, open.tunnel.unit, open.samples.fd]) open.poller.watch(fd, false, false);
    this.#onEvent({ type: 'ended', cause });
  }
}

/** Nothing passes yet, and what is not encrypted never does. */
function prepare({ socket, unit }: KernelTunnel): void {
  filterCall(socket, guard('encrypted'));
  setProtocolMode(unit, IPV4, 'drop');
  setProtocolMode(unit, IPV6, 'drop');
  setPppFlags(unit, PPP_FLAGS.mustCompress);
  setReceiveUnit(unit, MAX_FRAME);
}

function indexOf(name: string): number {
  const queries = new InterfaceQueries();
  try {
    const index = queries.index(name);
    if (index === null) throw new SystemCallFailed(`find the interface ${name}`, 'ENODEV');
    return index;
  } finally {
    queries.close();
  }
}

const isCallTaken = (error: unknown): boolean =>
  error instanceof MonitorError && error.failure.kind === 'failed' && CALL_TAKEN.includes(error.failure.code);

/** A step of the kernel's PPP that failed. Anything else is a fault of this program. */
function stepCause(error: unknown): EndCause {
  if (!(error instanceof SystemCallFailed)) throw error;
  const { message, step, code } = error;
  return { kind: 'device', problem: message, failure: { kind: 'failed', step, code } };
}
