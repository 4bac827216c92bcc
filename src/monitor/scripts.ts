/**
 * Runs the administrator's scripts in /etc/ppp as pppd does (pppd(8), "SCRIPTS"): as root, one path for each event, an
 * environment that holds nothing else.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../log/logger.js';
import type { AddressPair } from './protocol.js';

const FOLDER = '/etc/ppp';
/** Where pppd names its terminal and its speed. */
const DEVICE = '/dev/net/tun';
const SPEED = '115200';
/** How long ip-pre-up may keep the client waiting, ms; it then runs on. */
const PRE_UP_MS = 10_000;

export type ScriptEvent = 'ip-pre-up' | 'ip-up' | 'ip-down' | 'ipv6-up' | 'ipv6-down';

export interface ScriptFacts {
  readonly interfaceName: string;
  /** As the script gets them: dotted quads, or link-local addresses. */
  readonly addresses: AddressPair;
  readonly isIpv6: boolean;
  /** The client's address. */
  readonly peer: string;
  /** The name that the client logged in by. */
  readonly name: string;
  /** Filter-Id of RADIUS; null: none. */
  readonly filter: string | null;
  /** For the events of the end: seconds, and octets; null where the interface is gone. */
  readonly connected: number | null;
  readonly octets: { readonly sent: number; readonly received: number } | null;
}

function environmentOf({
  interfaceName,
  addresses,
  isIpv6,
  name,
  filter,
  connected,
  octets,
}: ScriptFacts): NodeJS.ProcessEnv {
  return {
    DEVICE,
    SPEED,
    IFNAME: interfaceName,
    ...(isIpv6
      ? { LLLOCAL: addresses.local, LLREMOTE: addresses.remote }
      : { IPLOCAL: addresses.local, IPREMOTE: addresses.remote }),
    PEERNAME: name,
    ORIG_UID: '0',
    PPPLOGNAME: 'root',
    // As pppd's radius.so names it.
    ...(filter === null ? {} : { RADIUS_FILTER_ID: filter }),
    ...(connected === null ? {} : { CONNECT_TIME: String(connected) }),
    ...(octets === null ? {} : { BYTES_SENT: String(octets.sent), BYTES_RCVD: String(octets.received) }),
  };
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** The scripts of one session, one after the other in the order of their events. */
export class Scripts {
  readonly #log: Logger;
  #last: Promise<void> = Promise.resolve();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Resolves when none of those that are asked for so far runs any more. */
  get idle(): Promise<void> {
    return this.#last;
  }

  /** Runs the script if there is one; resolves when it has ended. */
  async run(event: ScriptEvent, facts: ScriptFacts): Promise<void> {
    const run = this.#last.then(async () => this.#start(event, facts));
    this.#last = run;
    return run;
  }

  /** The same for ip-pre-up, for which the interface waits: resolves after some seconds at the latest. */
  async runBeforeUp(facts: ScriptFacts): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#log.warn(
          `${FOLDER}/ip-pre-up runs for more than ${PRE_UP_MS / 1000} s; the interface goes up without it`,
        );
        resolve();
      }, PRE_UP_MS);
    });
    await Promise.race([this.run('ip-pre-up', facts), tooLong]);
    clearTimeout(timer);
  }

  async #start(event: ScriptEvent, facts: ScriptFacts): Promise<void> {
    const path = join(FOLDER, event);
    if (!isExecutable(path)) return;
    const { interfaceName, addresses, peer } = facts;
    const args = [interfaceName, DEVICE, SPEED, addresses.local, addresses.remote, peer];
    const log = this.#log.child({ script: path, interface: interfaceName });
    await new Promise<void>((resolve) => {
      const child = spawn(path, args, { stdio: 'ignore', cwd: '/', env: environmentOf(facts) });
      log.info('script started');
      child.on('error', (error) => {
        log.error({ err: error }, `cannot run ${path}: ${error.message}`);
        resolve();
      });
      child.on('exit', (code, signal) => {
        if (code !== 0) log.warn({ code, signal }, `${path} failed (${signal ?? `exit code ${code}`})`);
        resolve();
      });
    });
  }
}
