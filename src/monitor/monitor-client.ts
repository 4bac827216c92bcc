/** What a worker asks root for, for one session. Every function rejects with MonitorError. */
import { MonitorConnection } from './monitor-connection.js';
import type { KernelTunnel } from '../sys/ppp-device.js';
import type { StartKeys } from '../mschap/start-keys.js';
import type { RadiusKeys } from '../radius/protocol.js';
import type { ChapMethod, InterfaceState, LoginMethod, MonitorAnswer, WireVerdict } from './protocol.js';

/** How long the end of a call waits for the monitor, ms. */
const CLOSE_MS = 2000;

export interface LoginRequest {
  readonly method: LoginMethod;
  /** As the client sent it. */
  readonly name: Uint8Array;
  /** The last of `drawChallenge`, or of a refusal; empty for PAP. */
  readonly challenge: Uint8Array;
  /** PAP: the password. */
  readonly response: Uint8Array;
  /** CHAP's identifier. */
  readonly identifier: number;
}

type Accepted = Extract<WireVerdict, { accepted: true }>;

/**
 * Accepted with `remote` null and no `remoteChoices`: the password is right, and the account lets the client have no
 * address of this server.
 */
export type LoginVerdict =
  | (Omit<Accepted, 'keys'> & { readonly keys: StartKeys | null })
  | (Omit<Extract<WireVerdict, { accepted: false }>, 'retryChallenge'> & {
      /** null: the client may not try again. */
      readonly retryChallenge: Uint8Array | null;
    });

export class MonitorClient {
  readonly #connection: MonitorConnection;

  /**
   * `path`: the monitor's socket. `session`: requests wait until the monitor knows that this process has it, for some seconds at
   * most.
   */
  constructor(path: string, session: string) {
    this.#connection = new MonitorConnection({ path, onReconnect: () => [{ type: 'serve', session }] });
  }

  /** A challenge for the session's next login; it is good for one, within two minutes. */
  async drawChallenge(method: ChapMethod): Promise<Uint8Array> {
    const { answer } = await this.#connection.ask({ type: 'challenge', method });
    return octets(expected(answer, 'challenge').challenge);
  }

  /** `patience`: how long the verdict may take, ms; left out: as long as any answer. */
  async authenticate(
    { method, name, challenge, response, identifier }: LoginRequest,
    patience?: number,
  ): Promise<LoginVerdict> {
    const request = {
      type: 'authenticate',
      method,
      name: hex(name),
      challenge: hex(challenge),
      response: hex(response),
      identifier,
    } as const;
    const { answer } = await this.#connection.ask(request, patience);
    const { verdict } = expected(answer, 'verdict');
    return verdict.accepted
      ? { ...verdict, keys: verdict.keys && keysOf(verdict.keys) }
      : { ...verdict, retryChallenge: verdict.retryChallenge === null ? null : octets(verdict.retryChallenge) };
  }

  /**
   * The interface's name (`ppp0`) and its TUN descriptor, which the caller closes. The interface goes with it. And a raw socket
   * for GRE, whose buffers only root can make long; undefined: the monitor could not open one.
   */
  async openTun(): Promise<{ readonly name: string; readonly fd: number; readonly socket: number | undefined }> {
    const { answer, descriptors } = await this.#connection.ask({ type: 'openTun' });
    const [fd, socket] = descriptors;
    if (fd === undefined) throw new Error('the monitor has sent no descriptor');
    return { name: expected(answer, 'device').name, fd, socket };
  }

  /**
   * The call in the kernel, whose other end has the call id `peerCallId`, with its interface. The caller closes the descriptors,
   * and call and interface go with them.
   */
  async openKernel(peerCallId: number): Promise<KernelTunnel> {
    const { answer, descriptors } = await this.#connection.ask({ type: 'openKernel', peerCallId });
    const [socket, channel, unit] = descriptors;
    if (socket === undefined || channel === undefined || unit === undefined)
      throw new Error('the monitor has sent too few descriptors');
    return { name: expected(answer, 'device').name, socket, channel, unit };
  }

  /** The whole state that the interface is to have; see InterfaceState. Resolves when it has it. */
  async configure(state: InterfaceState): Promise<void> {
    await this.#connection.ask({ type: 'configure', mtu: state.mtu, ipv4: state.ipv4, ipv6: state.ipv6 });
  }

  /**
   * The call is over: addresses go, and the scripts of the end run. The connection is closed whatever comes of it.
   * `cause`: Acct-Terminate-Cause (RFC 2866 §5.10).
   */
  async close(cause?: number): Promise<void> {
    // A RADIUS server may take its time; the end does not wait for it.
    this.#connection.giveUp();
    const timer = setTimeout(() => this.#connection.close(), CLOSE_MS);
    try {
      await this.#connection.ask({ type: 'close', ...(cause === undefined ? {} : { cause }) });
    } finally {
      clearTimeout(timer);
      this.#connection.close();
    }
  }
}

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
const octets = (text: string): Uint8Array => Buffer.from(text, 'hex');

const keysOf = ({ send, receive, weak }: RadiusKeys): StartKeys => ({
  send: octets(send),
  receive: octets(receive),
  weak: weak === null ? null : octets(weak),
});

function expected<T extends MonitorAnswer['type']>(
  answer: MonitorAnswer,
  type: T,
): Extract<MonitorAnswer, { type: T }> {
  if (answer.type !== type) throw new Error(`the monitor has answered "${answer.type}" instead of "${type}"`);
  return answer as Extract<MonitorAnswer, { type: T }>;
}
