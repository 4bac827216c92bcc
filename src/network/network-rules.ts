/**
 * Puts the section `network` into force, and keeps it there: forwarding, and the server's nftables table. If another
 * program deletes or changes the table, or the default route moves, the table is restored. Needs root.
 */
import type { Logger } from '../log/logger.js';
import { SystemCallFailed } from '../sys/libc.js';
import { watchNetlink } from '../sys/netlink-watch.js';
import { messageOf } from '../sys/thrown.js';
import { defaultRoutes } from './default-routes.js';
import { isForwarding, turnForwardingOn } from './forwarding.js';
import { nft } from './nft.js';
import { type NetworkReport, type Restoration, RESTORATIONS, type TableState } from './report.js';
import { masqueradedAt, removal, ruleset } from './ruleset.js';
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
  readonly masquerade: readonly string[];
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
  /** Milliseconds since the epoch. */
  #since = 0;
  #restored: NetworkReport['restored'] = null;

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

  /** null: no section is in force. */
  async report(): Promise<NetworkReport | null> {
    return this.#inTurn(async () => {
      if (this.#settings === null) return null;
      const inForce = this.#inForce;
      return {
        table: inForce === null ? null : this.#table,
        state: inForce === null ? 'inForce' : stateOf(inForce, await this.#list()),
        forwarding: isForwarding(),
        masquerade: inForce?.masquerade ?? [],
        since: this.#since,
        restored: this.#restored,
      };
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #put(settings: NetworkSettings): Promise<void> {
    if (settings.forward && turnForwardingOn())
      this.#log.info('changed net.ipv4.ip_forward from 0 to 1 (network.forward)');
    if (!needsTable(settings)) {
      await this.#remove();
      [this.#settings, this.#since] = [settings, Date.now()];
      return;
    }
    if (this.#watches.length === 0)
      this.#watches = (['nftables', 'routes'] as const).map((subject) => watchNetlink(subject, () => this.#look()));
    this.#settings = settings;
    const wanted = this.#rulesFor(settings);
    if (wanted.text === this.#inForce?.text) return;
    await this.#apply(wanted);
    this.#log.info(
      { table: this.#table },
      `rules of the section "network" are in force: nft list table inet ${this.#table}`,
    );
  }

  #rulesFor(settings: NetworkSettings): Omit<InForce, 'listed'> {
    const routes = defaultRoutes();
    return {
      text: ruleset({ table: this.#table, settings, defaultRoutes: routes }),
      masquerade: masqueradedAt(settings, routes),
    };
  }

  async #apply(wanted: Omit<InForce, 'listed'>): Promise<void> {
    await run(['--file', '-'], wanted.text, `make the nftables table ${this.#table}`);
    this.#inForce = { ...wanted, listed: await this.#list() };
    this.#since = Date.now();
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
    if (this.#settings !== null && needsTable(this.#settings)) await this.#removeTable();
    [this.#settings, this.#inForce, this.#restored] = [null, null, null];
  }

  async #removeTable(): Promise<void> {
    await run(['--file', '-'], removal(this.#table), `remove the nftables table ${this.#table}`);
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
    if (settings === null || inForce === null) return;
    try {
      const wanted = this.#rulesFor(settings);
      const why = restorationOf(wanted.text === inForce.text, stateOf(inForce, await this.#list()));
      if (why === null) return;
      await this.#apply(wanted);
      this.#restoredAt = performance.now();
      this.#restored = { count: (this.#restored?.count ?? 0) + 1, at: Date.now(), why };
      this.#log.warn({ table: this.#table }, `restored the nftables table ${this.#table}: ${RESTORATIONS[why]}`);
    } catch (error) {
      this.#log.error({ err: error }, `${messageOf(error)}; trying again in ${RETRY_MS / 1000} s`);
      this.#look(RETRY_MS);
    }
  }
}

/** `listed`: the table as the kernel has it; null: it has none. */
function stateOf(inForce: InForce, listed: string | null): TableState {
  if (listed === null) return 'missing';
  return listed === inForce.listed ? 'inForce' : 'changed';
}

/** Why the table must be restored; null: it need not. */
function restorationOf(isWanted: boolean, state: TableState): Restoration | null {
  if (!isWanted) return 'defaultRoute';
  return state === 'inForce' ? null : state === 'missing' ? 'deleted' : 'changed';
}

async function run(args: readonly string[], input: string, step: string): Promise<void> {
  const result = await nft(args, input);
  if (result.kind === 'missing') throw new SystemCallFailed(`${step} with nft`, 'ENOENT');
  if (result.kind === 'failed') throw new SystemCallFailed(`${step} (nft: ${result.words})`, 'refused');
}
