/**
 * A soak: visitors come and go at random over a network that loses packets, to ends of every kind, while the manager is
 * killed, replaced and told to reload; and then the question whether anything is left, lost or grown. Needs a namespace
 * (netns.ts) with ADDRESSES.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { AccountRecord } from '../../src/accounting/record.js';
import { readRecords } from '../../src/accounting/read.js';
import { messageOf } from '../../src/sys/thrown.js';
import { type Random, randomFrom } from '../fuzz/random.js';
import { Server, SERVER_ADDRESS, type Settings, TUNNEL_LOCAL } from '../process/support/server.js';
import { type Ending, ENDINGS, type EndingName, STAGES } from './endings.js';
import { GreHub } from './gre-hub.js';
import { type Incident, INCIDENTS, type IncidentName, plan, untilManaged } from './incidents.js';
import { type Attempt, audit, type Audit } from './ledger.js';
import { sample, type Sample, statusOf } from './sampler.js';
import { Visitor } from './visitor.js';
import { LossyNetwork } from './lossy-network.js';

export interface SoakOptions {
  readonly minutes: number;
  /** In all, spread over the minutes. */
  readonly logins: number;
  /** Packets in a thousand, each way. */
  readonly loss: number;
  /** Mean stay of a client that has logged in, seconds. */
  readonly stay: number;
  /** Between two samples, seconds. */
  readonly every: number;
  readonly seed: number;
}

export interface SoakResult {
  readonly options: SoakOptions;
  readonly seconds: number;
  readonly logins: number;
  readonly visits: number;
  readonly echoes: number;
  /** Clients that found nobody while the manager was away. */
  readonly turnedAway: number;
  readonly endings: Readonly<Record<string, number>>;
  readonly incidents: readonly { readonly at: number; readonly name: IncidentName }[];
  readonly samples: readonly Sample[];
  /** When everybody had gone, as the first manager had it, and as the last one has it. */
  readonly before: Sample;
  readonly after: Sample;
  readonly audit: Audit;
  /** What the visitors saw that should not be. */
  readonly faults: readonly string[];
  /** Log lines of the server, by level and text, from `warn` on. */
  readonly words: Readonly<Record<string, number>>;
  /** What the server has said on standard error. */
  readonly stderr: string;
}

const NETWORK = '198.51.100.0';
const PREFIX = 24;
const CLIENTS = 80;
/** For enterNamespace. */
export const ADDRESSES = [
  SERVER_ADDRESS,
  ...Array.from({ length: CLIENTS }, (_, index) => `198.51.100.${index + 1}`),
] as const;
const TICK_MS = 50;
/** Between two looks at whether everything is at rest. */
const REST_MS = 500;
/** How long to wait at the end for what still has to go: vanished clients, surplus workers. */
const PATIENCE_MS = 120_000;
/** Just before and after an outage a connection may be in nobody's hands. */
const OUTAGE_SLACK_MS = 3000;

const SPARE = 2;

class Soak {
  readonly #options: SoakOptions;
  readonly #random: Random;
  readonly #server = new Server(false);
  readonly #settings: Settings;
  readonly #network: LossyNetwork;
  readonly #hub = new GreHub(SERVER_ADDRESS, NETWORK, PREFIX);
  readonly #begun = performance.now();
  readonly #free: string[] = ADDRESSES.slice(1);
  readonly #attempts: Attempt[] = [];
  readonly #visits = new Set<Promise<void>>();
  readonly #faults: string[] = [];
  readonly #outages: { readonly from: number; to: number }[] = [];
  readonly #incidents: { readonly at: number; readonly name: IncidentName }[] = [];
  readonly #samples: Sample[] = [];
  readonly #endings: Record<string, number> = {};
  #loggingIn = 0;
  #logins = 0;
  #echoes = 0;
  #turnedAway = 0;

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#random = randomFrom(options.seed);
    this.#network = new LossyNetwork(`${NETWORK}/${PREFIX}`, options.loss);
    this.#settings = {
      addresses: { local: [TUNNEL_LOCAL], remote: ['203.0.113.10-209'] },
      limits: { connections: 200 },
      // A client whose SYN was lost repeats its first message after 3 s, and again after 6 (RFC 6298 §5.7).
      timeouts: { firstMessage: 20, establish: 10, echoInterval: 5, echoReply: 10, pppdExit: 2 },
      workers: { spare: SPARE },
      log: { level: 'info', directory: join(this.#server.directory, 'log'), keepFiles: 0 },
      accounting: { file: this.#file, interim: 15 },
    };
  }

  get #file(): string {
    return join(this.#server.directory, 'accounting.jsonl');
  }

  async run(progress: (sample: Sample) => void): Promise<SoakResult> {
    const { minutes } = this.#options;
    this.#configure();
    this.#server.start();
    await untilManaged(this.#server);
    const before = await this.#rest();
    const sampling = this.#keepSampling(minutes * 60, progress);
    const incidents = this.#haveIncidents(minutes * 60);
    await this.#haveVisits(minutes * 60);
    await Promise.all([incidents, sampling, ...this.#visits]);
    const after = await this.#rest();
    const { code, signal } = await this.#server.stop();
    if (code !== 0) this.#faults.push(`the server ended with ${signal ?? `code ${code}`}`);
    await this.#server.nothingLeft();
    return {
      options: this.#options,
      seconds: this.#seconds,
      logins: this.#logins,
      visits: this.#attempts.length,
      echoes: this.#echoes,
      turnedAway: this.#turnedAway,
      endings: this.#endings,
      incidents: this.#incidents,
      samples: this.#samples,
      before,
      after,
      audit: audit(this.#attempts, await this.#records()),
      faults: this.#faults,
      words: this.#wordsOfLog(),
      stderr: this.#server.words,
    };
  }

  async close(): Promise<void> {
    this.#hub.close();
    this.#network.close();
    await this.#server.cleanUp();
  }

  /** Until nobody comes any more, milliseconds. */
  get #left(): number {
    return (this.#options.minutes * 60 - this.#seconds) * 1000;
  }

  get #seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  #configure(): void {
    this.#server.configure(this.#settings, ['login']);
  }

  async #sample(): Promise<Sample> {
    const manager = this.#server.isRunning ? this.#server.pid : null;
    return sample(this.#server.runDirectory, manager, this.#seconds, this.#logins);
  }

  /** Resolves with the first sample in which nothing is left of any session and the workers are those to spare. */
  async #rest(): Promise<Sample> {
    const limit = performance.now() + PATIENCE_MS;
    for (;;) {
      const now = await this.#sample();
      const status = await statusOf(this.#server.runDirectory);
      const idle = status?.workers.idle === SPARE && status.workers.starting === 0 && now.workers === SPARE;
      if ((idle && now.lent === 0 && now.files === 0 && now.zombies === 0) || performance.now() > limit) return now;
      await wait(REST_MS);
    }
  }

  async #keepSampling(duration: number, progress: (sample: Sample) => void): Promise<void> {
    for (let next = this.#options.every; next < duration; next += this.#options.every) {
      await wait(Math.max(0, (next - this.#seconds) * 1000));
      const now = await this.#sample();
      this.#samples.push(now);
      for (const address of now.doubled) this.#faults.push(`two sessions had ${address} at once`);
      progress(now);
    }
  }

  async #haveIncidents(duration: number): Promise<void> {
    for (const { at, name } of plan(duration)) {
      await wait(Math.max(0, (at - this.#seconds) * 1000));
      const incident: Incident = INCIDENTS[name];
      const outage = { from: Date.now() - OUTAGE_SLACK_MS, to: Infinity };
      if (incident.outage) this.#outages.push(outage);
      this.#incidents.push({ at: this.#seconds, name });
      await incident.act(this.#server, () => this.#configure());
      outage.to = Date.now() + OUTAGE_SLACK_MS;
    }
  }

  /**
   * Begins as many visits as there have to be logins by then, one behind the other at random; on a machine that is too slow
   * for that it takes longer.
   */
  async #haveVisits(duration: number): Promise<void> {
    const { logins } = this.#options;
    while (this.#seconds < duration || (this.#logins < logins && this.#seconds < duration + PATIENCE_MS / 1000)) {
      const due = Math.min(logins, (logins * this.#seconds) / duration);
      while (this.#logins + this.#loggingIn < due && this.#free.length > 0) this.#begin();
      await wait(TICK_MS * (1 + this.#random(10)));
    }
  }

  #begin(): void {
    const [address] = this.#free.splice(this.#random(this.#free.length), 1);
    if (address === undefined) return;
    const visit = this.#visit(address, this.#draw()).finally(() => {
      this.#free.push(address);
      this.#visits.delete(visit);
    });
    this.#visits.add(visit);
  }

  #draw(): EndingName {
    const names = Object.keys(ENDINGS) as EndingName[];
    const all = names.flatMap((name) => Array.from({ length: ENDINGS[name].weight }, () => name));
    return all[this.#random(all.length)] ?? 'stops';
  }

  async #visit(address: string, name: EndingName): Promise<void> {
    const ending: Ending = ENDINGS[name];
    const begun = Date.now();
    const attempt: Attempt = { address, begun, session: 'no', user: null, ending: name, reasons: ending.reasons };
    this.#attempts.push(attempt);
    const user = `${ending.wrongPassword === true ? 'wrong' : 'user'}-${this.#attempts.length}`;
    const visitor = new Visitor({ hub: this.#hub, attempt, user });
    this.#loggingIn += 1;
    let isUp = false;
    try {
      await this.#reach(visitor, ending);
      this.#loggingIn -= 1;
      isUp = true;
      if (ending.stage === 'up') {
        this.#logins += 1;
        await visitor.stay(Math.min(this.#drawStay(), Math.max(0, this.#left)));
      }
      await ending.act(visitor, { runDirectory: this.#server.runDirectory, network: this.#network });
      this.#endings[name] = (this.#endings[name] ?? 0) + 1;
    } catch (error) {
      this.#recvFault(attempt, error);
    } finally {
      if (!isUp) this.#loggingIn -= 1;
      this.#echoes += visitor.echoes;
      visitor.close();
    }
  }

  async #reach(visitor: Visitor, { stage }: Ending): Promise<void> {
    const steps = [
      async () => visitor.connect(),
      async () => visitor.start(),
      async () => visitor.call(),
      async () => visitor.logIn(),
    ];
    for (const step of steps.slice(0, STAGES.indexOf(stage) + 1)) await step();
  }

  /** A client that was not in a session yet has to put up with a manager that is away. */
  #recvFault(attempt: Attempt, error: unknown): void {
    const now = Date.now();
    const away = this.#outages.some(({ from, to }) => attempt.begun < to && now > from);
    if (away && attempt.session !== 'yes') {
      this.#turnedAway += 1;
      return;
    }
    const { address, ending, user } = attempt;
    const why = messageOf(error);
    this.#faults.push(`${this.#seconds.toFixed(1)} s: ${address} (${ending}, ${user ?? 'not logged in'}): ${why}`);
    // What has ended it stands in its record, and is reported already.
    attempt.reasons = null;
  }

  /** Exponentially distributed, milliseconds: most stay shortly, some for long. */
  #drawStay(): number {
    const { stay } = this.#options;
    return Math.min(-Math.log(1 - this.#random(1000) / 1000) * stay, stay * 5) * 1000;
  }

  async #records(): Promise<AccountRecord[]> {
    const records: AccountRecord[] = [];
    for await (const record of readRecords(this.#file)) records.push(record);
    return records;
  }

  #wordsOfLog(): Record<string, number> {
    const directory = join(this.#server.directory, 'log');
    const words: Record<string, number> = {};
    for (const name of readdirSync(directory)) {
      for (const line of readFileSync(join(directory, name), 'utf8').split('\n')) {
        if (line === '') continue;
        const { level, msg }: { level: string; msg: string } = JSON.parse(line);
        if (!['warn', 'error', 'fatal'].includes(level)) continue;
        const text = `${level}: ${msg.replaceAll(/\d+(?:\.\d+){3}|\d+/g, 'N')}`;
        words[text] = (words[text] ?? 0) + 1;
      }
    }
    return words;
  }
}

/** Resolves with what came of it, good or bad; `progress` sees every sample. */
export async function soak(
  options: SoakOptions,
  progress: (sample: Sample) => void = () => undefined,
): Promise<SoakResult> {
  const run = new Soak(options);
  try {
    return await run.run(progress);
  } finally {
    await run.close();
  }
}
