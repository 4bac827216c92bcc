/**
 * Tells programs and web servers what happens to sessions (the configuration's `hooks`). Loaded only if there are hooks,
 * because of the memory that HTTP takes.
 */
import type { Logger } from '../../log/logger.js';
import type { Block } from '../../session/manager-status.js';
import type { SessionState } from '../../session/state.js';
import type { SessionWatcher } from '../registry.js';
import { type Deliver, deliverer, destinationOf, type Hook } from './delivery.js';
import { blockOf, endOf, eventsBetween, type HookEvent } from './hook-event.js';
import { HookQueue } from './hook-queue.js';

/** How long a server that stops waits for events that are not delivered yet, ms. */
const LAST_CHANCE_MS = 2000;

interface Listening {
  readonly hook: Hook;
  readonly queue: HookQueue;
}

export class Hooks implements SessionWatcher {
  readonly #log: Logger;
  readonly #delivererOf: (hook: Hook) => Deliver;
  #all: readonly Listening[] = [];
  #dropped = 0;
  /** Sessions of an earlier manager that have not reported yet: that manager has delivered their first events. */
  readonly #found = new Set<string>();

  constructor(log: Logger, delivererOf: (hook: Hook) => Deliver = deliverer) {
    this.#log = log;
    this.#delivererOf = delivererOf;
  }

  /** Events that a hook did not get, since the manager's start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Hooks that stay the same keep their waiting events; those of the others are dropped. */
  reconfigure(hooks: readonly Hook[]): void {
    const before = [...this.#all];
    this.#all = hooks.map((hook, index) => {
      const same = before.findIndex((each) => JSON.stringify(each.hook) === JSON.stringify(hook));
      return before.splice(same, same === -1 ? 0 : 1)[0] ?? this.#listen(hook, index);
    });
    for (const { queue } of before) queue.close();
  }

  entered(id: string, found: boolean): void {
    if (found) this.#found.add(id);
  }

  changed(state: SessionState, before: SessionState | null): void {
    if (this.#found.delete(state.session)) return;
    for (const event of eventsBetween(before, state)) this.#tell(event);
  }

  over(id: string, last: SessionState | null, died: boolean): void {
    this.#found.delete(id);
    if (last !== null) this.#tell(endOf(last, died));
  }

  blocked(block: Block): void {
    this.#tell(blockOf(block));
  }

  /** Resolves when all events are delivered, or the time is up. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise((resolve) => (timer = setTimeout(resolve, LAST_CHANCE_MS)));
    await Promise.race([Promise.all(this.#all.map(async ({ queue }) => queue.idle())), limit]);
    clearTimeout(timer);
    for (const { queue } of this.#all) queue.close();
  }

  #listen(hook: Hook, index: number): Listening {
    const name = `hooks[${index}] (${destinationOf(hook)})`;
    const onDropped = (): void => void (this.#dropped += 1);
    return { hook, queue: new HookQueue({ name, deliver: this.#delivererOf(hook), log: this.#log, onDropped }) };
  }

  #tell(event: HookEvent): void {
    for (const { hook, queue } of this.#all) if (hook.on.includes(event.event)) queue.offer(event);
  }
}
