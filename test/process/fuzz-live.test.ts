/**
 * Changed control messages and GRE packets against a running server with three sessions up: they notice nothing, no worker
 * dies, every session that was attacked has an end with a name, and all that they held comes back. `npm run fuzz:live` runs
 * this file at full size; options are --messages, --packets and --seed.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseArgs } from 'node:util';
import { readRecords } from '../../src/accounting/read.js';
import { CLOSE_REASONS } from '../../src/session/close-reason.js';
import { attackControl } from '../fuzz/live/control.js';
import { attackGre } from '../fuzz/live/gre.js';
import { randomFrom } from '../fuzz/random.js';
import { assertNewcomerServed, Bystanders, NEWCOMER } from './support/bystanders.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, Server, SERVER_ADDRESS } from './support/server.js';

const ATTACKERS = ['198.51.100.51', '198.51.100.52', '198.51.100.53', '198.51.100.54'] as const;
enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES, NEWCOMER, ...ATTACKERS);

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '3000' },
    packets: { type: 'string', default: '50000' },
    seed: { type: 'string', default: String(Date.now() >>> 0) },
  },
});
const [MESSAGES, PACKETS, SEED] = [Number(values.messages), Number(values.packets), Number(values.seed)];

/** A server with three sessions up, and what has become of it in the end. */
class Attacked {
  readonly server = new Server(false);
  readonly #file = join(this.server.directory, 'accounting.jsonl');
  readonly #t: TestContext;
  #bystanders: Bystanders | null = null;

  private constructor(t: TestContext) {
    this.#t = t;
  }

  static async start(t: TestContext): Promise<Attacked> {
    const attacked = new Attacked(t);
    const { server } = attacked;
    server.configure({
      addresses: { remote: ['203.0.113.10-109'] },
      log: { level: 'info' },
      timeouts: { pppdExit: 0.2 },
      accounting: { file: attacked.#file, interim: 0 },
    });
    endWith(t, server);
    server.start();
    await server.ready();
    attacked.#bystanders = await Bystanders.up(t, server);
    t.diagnostic(`seed ${SEED}`);
    return attacked;
  }

  async assertWell(): Promise<void> {
    await this.#bystanders?.assertWell('amid the attack');
  }

  /** What the workers have counted of GRE, over all sessions that have ended. */
  get counted(): string {
    const sums = new Map<string, number>();
    for (const { msg, counters } of this.server.log.all) {
      if (!msg.startsWith('session ended') || typeof counters !== 'object') continue;
      for (const [name, count] of Object.entries(counters ?? {}))
        if (name.startsWith('rx')) sums.set(name, (sums.get(name) ?? 0) + Number(count));
    }
    return [...sums].flatMap(([name, count]) => (count === 0 ? [] : `${name} ${count}`)).join(', ');
  }

  /** Everything is as before, and each of at least `sessions` sessions has ended for a reason. */
  async assertUnharmed(sessions: number): Promise<void> {
    assert(this.#bystanders !== null);
    await this.#bystanders.assertAsBefore(this.#t);
    await assertNewcomerServed(this.#t);
    await this.server.waitForSessions(CLIENT_ADDRESSES.length);
    const ends = new Map<string, number>();
    for await (const { record, reason } of readRecords(this.#file)) {
      if (record === 'ended') ends.set(reason ?? 'none', (ends.get(reason ?? 'none') ?? 0) + 1);
    }
    this.#t.diagnostic(`ends: ${[...ends].map(([reason, count]) => `${reason} ${count}`).join(', ')}`);
    // One more: the newcomer.
    assert.equal(
      [...ends.values()].reduce((sum, count) => sum + count, 0),
      sessions + 1,
    );
    assert.deepEqual(
      [...ends.keys()].filter((reason) => !Object.hasOwn(CLOSE_REASONS, reason) || reason === 'workerFailed'),
      [],
    );
    assert.deepEqual(
      this.server.log.all.filter(({ level }) => level === 'error' || level === 'fatal'),
      [],
    );
    assert.equal(this.server.words, '');
  }
}

test(`${MESSAGES} changed control messages`, async (t) => {
  const attacked = await Attacked.start(t);
  const begun = performance.now();
  const { messages, connections, closed } = await attackControl(ATTACKERS[0], MESSAGES, randomFrom(SEED), async () =>
    attacked.assertWell(),
  );
  t.diagnostic(
    `${messages} messages on ${connections} connections, ${closed} of which they closed, in ${((performance.now() - begun) / 1000).toFixed(1)} s`,
  );
  await attacked.assertUnharmed(connections);
});

test(`${PACKETS} changed GRE packets`, async (t) => {
  const attacked = await Attacked.start(t);
  const begun = performance.now();
  const { packets, sessions } = await attackGre(ATTACKERS, PACKETS, randomFrom(SEED), async () =>
    attacked.assertWell(),
  );
  t.diagnostic(`${packets} packets for ${sessions} sessions in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  await attacked.assertUnharmed(sessions);
  t.diagnostic(`counted: ${attacked.counted}`);
});
