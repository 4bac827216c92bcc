/**
 * The RADIUS process as the monitor sees it. The monitor, which is root, reads the shared secrets and tells the process; the
 * process, which reads the network, has no privileges and is no user that workers run as. It is restarted when it dies.
 */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { RestartDelay } from '../host/restart-delay.js';
import type { Logger } from '../log/logger.js';
import {
  decodeFromRadius,
  encodeRadiusMessage,
  type FromRadius,
  type LoginProblem,
  MAX_RADIUS_MESSAGE,
  type RadiusLogin,
  type RadiusVerdict,
  type RequestOutcome,
  type SessionChange,
  type SessionSelector,
  type SpooledRecord,
  type ToRadius,
} from '../radius/protocol.js';
import { close } from '../sys/descriptor.js';
import { Poller } from '../sys/poller.js';
import { receivePackets, seqpacketPair, sendPacket } from '../sys/seqpacket-socket.js';
import type { RadiusSettings } from './protocol.js';
import { readSecret } from './radius-secret.js';
import { startUnprivileged } from './unprivileged-process.js';

const ENTRY = fileURLToPath(new URL('../bundle/radius.js', import.meta.url));
/** A user and a group without a name, of the numbers that systemd gives to services. */
const USER = 61_724;

/** Maximum number of messages taken from the process before others have their turn. */
const MAX_IN_A_TURN = 16;
/** Longer than the process takes with all servers (config/schema), ms: its answer is lost. */
const PATIENCE_MS = 60_000;

const failed = (problem: LoginProblem): RadiusVerdict => ({ outcome: 'failed', problem });

/** `by`: the address of the RADIUS server; `change` null: end them. */
export interface SessionRequest {
  readonly selector: SessionSelector;
  readonly by: string;
  readonly change: SessionChange | null;
}

interface Running {
  readonly child: ChildProcess;
  readonly fd: number;
  readonly poller: Poller;
  readonly startedAt: number;
}

export class RadiusProcess {
  readonly #log: Logger;
  readonly #level: string;
  #settings: RadiusSettings | null = null;
  #running: Running | null = null;
  /** The secret of a server could be read. */
  #hasServers = false;
  readonly #delay = new RestartDelay({ first: 50, last: 30_000, stable: 60_000 });
  #retryTimer: NodeJS.Timeout | undefined;
  #lastId = 0;
  readonly #waiting = new Map<number, (verdict: RadiusVerdict) => void>();
  readonly #accounting = new Map<number, (isDone: boolean) => void>();
  readonly #buffer = Buffer.alloc(MAX_RADIUS_MESSAGE);

  /** Does what a RADIUS server wants: ends the sessions, or changes the session. Set by who knows the sessions. */
  onRequest: (request: SessionRequest) => Promise<RequestOutcome> = async () => 'noSession';

  constructor(log: Logger, level: string) {
    this.#log = log;
    this.#level = level;
  }

  /** Starts the process, tells it other settings, or ends it. The files of the secrets are read again. */
  configure(settings: RadiusSettings | null): void {
    this.#settings = settings;
    if (settings === null) this.#end();
    else if (this.#running === null) this.#start();
    else this.#tellSettings(settings);
  }

  /** Never rejects. */
  async judge(login: RadiusLogin): Promise<RadiusVerdict> {
    if (!this.#hasServers) return failed('noSecret');
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer(id, failed('noAnswer')), PATIENCE_MS);
      this.#waiting.set(id, (verdict) => {
        clearTimeout(timer);
        resolve(verdict);
      });
      if (!this.#tell({ type: 'login', id, login })) this.#answer(id, failed('notRunning'));
    });
  }

  /** Resolves with whether a server has acknowledged the record; never rejects. */
  async account(record: SpooledRecord): Promise<boolean> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(id, false), PATIENCE_MS);
      this.#accounting.set(id, (isDone) => {
        clearTimeout(timer);
        resolve(isDone);
      });
      if (!this.#hasServers || !this.#tell({ type: 'account', id, record })) this.#settle(id, false);
    });
  }

  #start(): void {
    clearTimeout(this.#retryTimer);
    const { ours, theirs } = seqpacketPair();
    const child = startUnprivileged({ entry: ENTRY, args: [this.#level], uid: USER, gid: USER, channel: theirs });
    close(theirs);
    const poller = new Poller(() => this.#receive());
    const running: Running = { child, fd: ours, poller, startedAt: performance.now() };
    this.#running = running;
    poller.watch(ours, true, false);
    child.on('error', (error) => this.#ended(running, error.message));
    child.on('close', (code, signal) => this.#ended(running, signal ?? `exit code ${code}`));
    if (this.#settings !== null) this.#tellSettings(this.#settings);
  }

  #tellSettings({ servers, dynamic, nasIdentifier, requireMessageAuthenticator }: RadiusSettings): void {
    const known = this.#withSecrets(servers);
    const clients = dynamic && { port: dynamic.port, clients: this.#withSecrets(dynamic.clients) };
    this.#hasServers = known.length > 0;
    this.#tell({
      type: 'configure',
      settings: { servers: known, dynamic: clients, nasIdentifier, requireMessageAuthenticator },
    });
  }

  /** Without those whose secret cannot be read. */
  #withSecrets<T extends { readonly secretFile: string }>(
    all: readonly T[],
  ): (Omit<T, 'secretFile'> & { readonly secret: string })[] {
    return all.flatMap(({ secretFile, ...rest }) => {
      const secret = this.#secretIn(secretFile);
      return secret === null ? [] : [{ ...rest, secret: secret.toString('hex') }];
    });
  }

  /** null, and a log line, when there is none. */
  #secretIn(file: string): Buffer | null {
    const secret = readSecret(file);
    if (secret.ok) return secret.octets;
    this.#log.error(
      { file },
      `the secret shared with a RADIUS server cannot be used: ${secret.problem}; remedy: ${secret.remedy}`,
    );
    return null;
  }

  #tell(message: ToRadius): boolean {
    return this.#running !== null && sendPacket(this.#running.fd, encodeRadiusMessage(message)) === 'sent';
  }

  #receive(): void {
    if (this.#running === null) return;
    const { fd, poller } = this.#running;
    // Its end says why.
    if (!receivePackets(fd, this.#buffer, MAX_IN_A_TURN, (length) => this.#recv(length)))
      poller.watch(fd, false, false);
  }

  #recv(length: number): void {
    const message = decodeFromRadius(this.#buffer.subarray(0, length));
    if (message === null)
      this.#log.error({ radius: this.#running?.child.pid }, 'ignored a malformed message of the RADIUS process');
    else if (message.type === 'verdict') this.#answer(message.id, message.verdict);
    else if (message.type === 'accounted') this.#settle(message.id, message.isDone);
    else void this.#work(message);
  }

  #answer(id: number, verdict: RadiusVerdict): void {
    this.#waiting.get(id)?.(verdict);
    this.#waiting.delete(id);
  }

  async #work(message: Extract<FromRadius, { type: 'disconnect' | 'change' }>): Promise<void> {
    const { id, selector, by } = message;
    const change = message.type === 'change' ? message.change : null;
    this.#tell({ type: 'requestDone', id, outcome: await this.onRequest({ selector, by, change }) });
  }

  #settle(id: number, isDone: boolean): void {
    this.#accounting.get(id)?.(isDone);
    this.#accounting.delete(id);
  }

  #ended(running: Running, how: string): void {
    if (this.#running !== running) return;
    this.#release(running);
    const delay = this.#delay.next(performance.now() - running.startedAt);
    this.#log.error(
      { radius: running.child.pid, how, retrySeconds: delay / 1000 },
      `the RADIUS process ended (${how}); starting it again`,
    );
    this.#retryTimer = setTimeout(() => {
      if (this.#settings !== null) this.#start();
    }, delay);
  }

  #end(): void {
    clearTimeout(this.#retryTimer);
    if (this.#running !== null) this.#release(this.#running);
  }

  /** It ends when its descriptor is closed. */
  #release({ fd, poller }: Running): void {
    this.#running = null;
    poller.close();
    close(fd);
    for (const id of this.#waiting.keys()) this.#answer(id, failed('notRunning'));
    for (const id of this.#accounting.keys()) this.#settle(id, false);
  }
}
