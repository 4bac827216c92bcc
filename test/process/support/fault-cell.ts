/**
 * The table of faults, with a test for each cell: a fault hits a process at a stage of a session's life while a second
 * session runs. Only the affected session may be lost; afterwards its address, descriptors, processes and files must be
 * free again. docs/threats.md shows the whole table.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { CALL, Client, START } from './client.js';
import { namespaceProcesses } from './netns.js';
import { CLIENT_ADDRESSES, type Server, startServer } from './server.js';
import { Tunnel } from './tunnel.js';
import { until } from './wait.js';

const [STRUCK, BYSTANDER, NEXT] = CLIENT_ADDRESSES;
/** Two addresses, so that a third client shows that the address of the affected session is free again. */
const SETTINGS = { addresses: { remote: '203.0.113.10-11' }, timeouts: { pppdExit: 0.5 } } as const;

/** The client of a stage, and how it checks that its session still works; null if it has none. */
interface Reached {
  readonly client: Client;
  readonly goesOn: (() => Promise<void>) | null;
}

interface Stage {
  /** Options of this session's stand-in pppd. */
  readonly standIn?: readonly string[];
  /** Seconds in place of SETTINGS'. */
  readonly pppdExit?: number;
  readonly reach: (t: TestContext, server: Server) => Promise<Reached>;
}

const startedPppds = (server: Server): number => server.pppdNotes().filter(({ event }) => event === 'started').length;

const STAGES = {
  'before the handoff': {
    reach: async () => ({ client: await Client.connect(STRUCK), goesOn: null }),
  },
  connected: {
    reach: async () => {
      const client = await Client.start(STRUCK);
      return { client, goesOn: async () => client.echo() };
    },
  },
  starting: {
    standIn: ['silent'],
    reach: async (_, server) => {
      const client = await Client.start(STRUCK);
      const before = startedPppds(server);
      client.send(CALL);
      await until('pppd to be started', () => startedPppds(server) > before);
      return { client, goesOn: async () => client.echo() };
    },
  },
  negotiating: {
    reach: async (t) => {
      const { client } = await Tunnel.open(t, STRUCK);
      return { client, goesOn: async () => client.echo() };
    },
  },
  up: {
    reach: async (t) => {
      const tunnel = await Tunnel.open(t, STRUCK);
      await tunnel.openLcp();
      await tunnel.assertRelays('up');
      return { client: tunnel.client, goesOn: async () => tunnel.assertRelays('still up') };
    },
  },
  ending: {
    standIn: ['ignore'],
    // So that the fault hits a session that is still ending.
    pppdExit: 5,
    reach: async (t, server) => {
      const { client } = await Tunnel.open(t, STRUCK);
      client.send({ type: 'StopControlConnectionRequest', reason: 1 });
      // pppd was told to exit and ignores it.
      await server.waitForPppd(
        'the signal to terminate',
        ({ event, name }) => event === 'signal' && name !== undefined,
      );
      return { client, goesOn: null };
    },
  },
} as const satisfies Record<string, Stage>;

type StageName = keyof typeof STAGES;

/** One cell of the table: a server, a bystander with traffic in its tunnel, and the session that the fault hits. */
export class Cell {
  readonly #t: TestContext;
  readonly stage: StageName;
  readonly server: Server;
  readonly #bystander: Tunnel;
  #descriptors = Infinity;

  private constructor(t: TestContext, stage: StageName, server: Server, bystander: Tunnel) {
    this.#t = t;
    this.stage = stage;
    this.server = server;
    this.#bystander = bystander;
  }

  static async prepare(t: TestContext, stage: StageName): Promise<Cell> {
    const server = await startServer(t, SETTINGS);
    const bystander = await Tunnel.open(t, BYSTANDER, 2);
    await bystander.openLcp();
    const cell = new Cell(t, stage, server, bystander);
    const { standIn, pppdExit = SETTINGS.timeouts.pppdExit }: Stage = STAGES[stage];
    if (standIn !== undefined) await server.reconfigure({ ...SETTINGS, timeouts: { pppdExit } }, standIn);
    await server.waitForSpareWorkers(1);
    cell.#descriptors = server.descriptors();
    return cell;
  }

  async reach(): Promise<Reached> {
    return STAGES[this.stage].reach(this.#t, this.server);
  }

  /** The process ids of the affected session. */
  async worker(): Promise<number> {
    if (this.stage === 'before the handoff') return this.server.spareWorkers()[0] ?? 0;
    return (await this.#session()).pid;
  }

  async pppd(): Promise<number> {
    const { pppdPid } = await this.#session();
    assert(pppdPid !== null);
    return pppdPid;
  }

  async assertBystanderWell(): Promise<void> {
    await this.#bystander.client.echo();
    await this.#bystander.assertRelays('the bystander');
  }

  /** Asserts that a different manager is running now. */
  managerIsNew(): void {
    this.#descriptors = Infinity;
  }

  /** Asserts that nothing is left of the affected session, and that the next client gets its address. */
  async assertNothingLost(): Promise<void> {
    await this.assertBystanderWell();
    const { server } = this;
    await server.waitForSessions(1);
    const { standIn }: Stage = STAGES[this.stage];
    if (standIn !== undefined) await server.reconfigure(SETTINGS);
    const next = await startWhenFree();
    next.send(CALL);
    assert.equal((await next.next('OutgoingCallReply')).resultCode, 1);
    next.send({ type: 'StopControlConnectionRequest', reason: 1 });
    await next.closed;
    await server.waitForSessions(1);
    await until('no more descriptors than before', () => server.descriptors() <= this.#descriptors);
    await until('no zombie', () => !namespaceProcesses().some(({ zombie }) => zombie));
    await this.assertBystanderWell();
  }

  async #session(): Promise<{ readonly pid: number; readonly pppdPid: number | null }> {
    const session = (await this.server.sessions()).find(({ peer }) => peer.address === STRUCK);
    assert(session !== undefined, 'the affected session is not in the run directory');
    return session;
  }
}

/** The next client connects and starts as soon as the server has an address for it. */
async function startWhenFree(): Promise<Client> {
  return until('an address to be free', async () => {
    const client = await Client.connect(NEXT);
    client.send(START);
    if ((await client.next('StartControlConnectionReply')).resultCode === 1) return client;
    await client.closed;
    return undefined;
  });
}

/** Ends the client's session, if it has one. */
export async function leave({ client, goesOn }: Reached): Promise<void> {
  if (goesOn === null) return;
  client.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await client.closed;
}

export interface Strike {
  /** Stages at which the process does not exist. */
  readonly not?: readonly StageName[];
  /** Causes the fault, and checks what the client sees of it. */
  readonly strike: (cell: Cell, reached: Reached) => Promise<void>;
}

/** Defines a test for each stage. */
export function testStages(what: string, { not = [], strike }: Strike): void {
  describe(what, () => {
    for (const stage of (Object.keys(STAGES) as StageName[]).filter((each) => !not.includes(each))) {
      test(stage, async (t) => {
        const cell = await Cell.prepare(t, stage);
        await strike(cell, await cell.reach());
        await cell.assertNothingLost();
      });
    }
  });
}
