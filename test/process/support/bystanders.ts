/**
 * Bystanders of an attack, which must not be affected: sessions with traffic, the manager's memory and descriptors, and
 * a new client. They use client addresses that nothing else in the test uses.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { CLIENT_ADDRESSES, type Server } from './server.js';
import { Tunnel } from './tunnel.js';
import { until } from './wait.js';

export const NEWCOMER = '198.51.100.77';
/** How much memory V8 may keep after a flood, MiB; it releases memory lazily. */
export const MEMORY_SLACK = 48;
/** A reload stops surplus workers, one every half second, while the test waits for descriptors. */
const LOOKS_PER_RELOAD = 50;

const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
/** Resident memory, MiB. */
export const memoryOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Three sessions with traffic, and the manager's resources while they are up. */
export class Bystanders {
  readonly #server: Server;
  readonly #tunnels: readonly Tunnel[];
  readonly #workers: readonly number[];
  readonly #descriptors: number;
  readonly #memory: number;

  private constructor(server: Server, tunnels: readonly Tunnel[], workers: readonly number[]) {
    this.#server = server;
    this.#tunnels = tunnels;
    this.#workers = workers;
    this.#descriptors = descriptorsOf(server.pid);
    this.#memory = memoryOf(server.pid);
  }

  static async up(t: TestContext, server: Server): Promise<Bystanders> {
    const tunnels: Tunnel[] = [];
    for (const [index, address] of CLIENT_ADDRESSES.entries()) {
      const tunnel = await Tunnel.open(t, address, index + 1);
      tunnel.client.answersEchoes = true;
      await tunnel.openLcp();
      tunnels.push(tunnel);
    }
    await server.waitForSpareWorkers(1);
    const workers = (await server.sessions()).map(({ pid }) => pid);
    return new Bystanders(server, tunnels, workers);
  }

  get first(): Tunnel {
    const [first] = this.#tunnels;
    assert(first !== undefined);
    return first;
  }

  /** Asserts that each control connection answers and each tunnel relays. */
  async assertWell(text: string): Promise<void> {
    for (const tunnel of this.#tunnels) {
      await tunnel.client.echo();
      await tunnel.assertRelays(text);
    }
  }

  /** Asserts that the sessions are the same and that the manager holds no more resources than before. */
  async assertAsBefore(t: TestContext): Promise<void> {
    await this.assertWell('after the flood');
    const { pid } = this.#server;
    await this.#server.waitForSessions(this.#tunnels.length);
    let looks = 0;
    await until('the descriptors of the flood to be closed', () => {
      // Otherwise returned workers would stay for ten more seconds.
      if (looks++ % LOOKS_PER_RELOAD === 0) this.#server.signal('SIGHUP');
      return descriptorsOf(pid) <= this.#descriptors;
    });
    assert.deepEqual(
      (await this.#server.sessions()).map((session) => session.pid),
      this.#workers,
    );
    const memory = memoryOf(pid);
    t.diagnostic(`manager: ${this.#memory.toFixed(0)} MiB before, ${memory.toFixed(0)} MiB after`);
    assert(memory < this.#memory + MEMORY_SLACK, `${this.#memory} MiB became ${memory} MiB`);
  }
}

/** Asserts that a new client gets a tunnel, if it retries when it is refused. */
export async function assertNewcomerServed(t: TestContext): Promise<void> {
  const began = performance.now();
  const newcomer = await Tunnel.open(t, NEWCOMER, 99);
  await newcomer.openLcp();
  await newcomer.assertRelays('a newcomer');
  t.diagnostic(`a newcomer had its tunnel after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  newcomer.client.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await newcomer.client.closed;
}
