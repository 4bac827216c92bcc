/**
 * Puts the section `network` into force, and keeps it there: forwarding, and the server's nftables table. If another
 * program deletes or changes the table, or the default route moves, the table is made again. Needs root.
 */
import type { Logger } from '../log/logger.js';
import { SystemCallFailed } from '../sys/libc.js';
import { watchNetlink } from '../sys/netlink-watch.js';
import { defaultRoutes } from './default-routes.js';
import { turnForwardingOn } from './forwarding.js';
import { nft } from './nft.js';
import { removal, ruleset } from './ruleset.js';
import { needsTable, type NetworkSettings } from './settings.js';

/** Other programs change rules and routes in several steps; time to wait for the last step, ms. */
const SETTLE_MS = 200;
/** Minimum time between two restorations, in case another program keeps removing the table, ms. */
const PAUSE_MS = 1000;
/** Until a failed attempt is repeated, ms. */
const RETRY_MS = 30_000;

/** The table as it was put into force. */
interface InForce {
  readonly text: string;
  /** How nft lists it, without counters. */
  readonly listed: string | null;
}

export class NetworkRules {
  readonly #table: string;
  readonly #log: Logger;
  #settings: NetworkSettings | null = null;
  #inForce: InForce | null = null;
  /** Changes are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #watches: readonly (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** On the clock of performance.now(). */
  #restoredAt = -Infinity;

  constructor(table: string, log: Logger) {
    this.#table = table;
    this.#log = log;
  }

  /** null: no rules. Throws SystemCallFailed; the previous rules then stay in force. */
  async set(settings: NetworkSettings | null): Promise<void> {
    await this.#inTurn(async () => {
      if (settings === null) await this.#remove();
      else await this.#put(settings);
    });
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #put(settings: NetworkSettings): Promise<void> {
    if (settings.forward && turnForwardingOn())
      this.#log.info('changed net.ipv4.ip_forward from 0 to 1 (network.forward)');
    if (!needsTable(settings)) {
      await this.#remove();
      return;
    }
    if (this.#watches.length === 0)
      this.#watches = (['nftables', 'routes'] as const).map((subject) => watchNetlink(subject, () => this.#look()));
    this.#settings = settings;
    const text = this.#textFor(settings);
    if (text === this.#inForce?.text) return;
    await this.#apply(text);
    this.#log.info(
      { table: this.#table },
      `rules of the section "network" are in force: nft list table inet ${this.#table}`,
    );
  }

  #textFor(settings: NetworkSettings): string {
    return ruleset({ table: this.#table, settings, defaultRoutes: defaultRoutes() });
  }

  async #apply(text: string): Promise<void> {
    await run(['--file', '-'], text, `make the nftables table ${this.#table}`);
    this.#inForce = { text, listed: await this.#list() };
  }

  /** null: there is no such table. */
  async #list(): Promise<string | null> {
    const result = await nft(['--stateless', 'list', 'table', 'inet', this.#table]);
    return result.kind === 'done' ? result.output : null;
  }

  async #remove(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const stop of this.#watches) stop();
    this.#watches = [];
    if (this.#settings === null) return;
    await run(['--file', '-'], removal(this.#table), `remove the nftables table ${this.#table}`);
    [this.#settings, this.#inForce] = [null, null];
    this.#log.info({ table: this.#table }, 'rules of the section "network" removed');
  }

  /** Compares the rules with those that should be in force, after a pause. */
  #look(after = Math.max(SETTLE_MS, this.#restoredAt + PAUSE_MS - performance.now())): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#inTurn(async () => this.#restore());
    }, after);
  }

  async #restore(): Promise<void> {
    const [settings, inForce] = [this.#settings, this.#inForce];
    if (settings === null) return;
    const text = this.#textFor(settings);
    const listed = await this.#list();
    if (text === inForce?.text && listed !== null && listed === inForce.listed) return;
    try {
      await this.#apply(text);
      this.#restoredAt = performance.now();
      const why =
        text !== inForce?.text
          ? 'the default route has changed'
          : `another program has ${listed === null ? 'deleted' : 'changed'} it`;
      this.#log.warn({ table: this.#table }, `made the nftables table ${this.#table} again: ${why}`);
    } catch (error) {
      this.#log.error({ err: error }, `${(error as Error).message}; trying again in ${RETRY_MS / 1000} s`);
      this.#look(RETRY_MS);
    }
  }
}

async function run(args: readonly string[], input: string, step: string): Promise<void> {
  const result = await nft(args, input);
  if (result.kind === 'missing') throw new SystemCallFailed(`${step} with nft`, 'ENOENT');
  if (result.kind === 'failed') throw new SystemCallFailed(`${step} (nft: ${result.words})`, 'refused');
}
