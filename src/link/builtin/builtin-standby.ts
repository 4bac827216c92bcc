/** What a call of the builtin engine needs, prepared before a client connects: its data path. */
import type { Link, LinkOptions, Standby } from '../link.js';
import { BuiltinLink } from './builtin-link.js';
import type { DataPath } from './data-path.js';
import type { SessionMonitor } from './session-monitor.js';

export interface BuiltinStandbyOptions {
  /** Opens the connection to the monitor, for a session. */
  readonly connect: (session: string) => SessionMonitor;
  readonly path: DataPath;
  /** For a call that `path` cannot carry; null: there is no other. */
  readonly newFallback: (() => DataPath) | null;
}

export class BuiltinStandby implements Standby {
  readonly process = null;
  readonly isOver = false;
  readonly #options: BuiltinStandbyOptions;

  constructor(options: BuiltinStandbyOptions) {
    this.#options = options;
  }

  link(options: LinkOptions): Link {
    const { connect, path, newFallback } = this.#options;
    return new BuiltinLink(options, { monitor: connect(options.session), path, newFallback });
  }

  async close(): Promise<void> {
    this.#options.path.close();
  }
}
