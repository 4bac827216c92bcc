/**
 * Tells when the files of a certificate may have changed, by the kernel's events of their folders and of the folders that
 * they are links to: certbot writes a new file and replaces the link.
 */
import { type FSWatcher, realpathSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '../log/logger.js';
import { messageOf } from '../sys/thrown.js';

/** For the other files of a renewal, ms. */
const SETTLE_MS = 1000;

export class CertificateWatch {
  readonly #files: readonly string[];
  readonly #onChange: () => void;
  readonly #log: Logger;
  #watchers: readonly FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { readonly files: readonly string[]; readonly onChange: () => void; readonly log: Logger }) {
    this.#files = options.files;
    this.#onChange = options.onChange;
    this.#log = options.log;
    this.#watch();
  }

  #watch(): void {
    const folders = new Set(this.#files.flatMap((file) => [dirname(file), dirname(resolved(file))]));
    this.#watchers = [...folders].flatMap((folder) => this.#watcherOf(folder) ?? []);
  }

  #watcherOf(folder: string): FSWatcher | null {
    try {
      return watch(folder, () => this.#noticed()).on('error', (error) => this.#failed(folder, error));
    } catch (error) {
      this.#failed(folder, error);
      return null;
    }
  }

  #noticed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#unwatch();
      // Again, because a link may lead to another folder now.
      this.#watch();
      this.#onChange();
    }, SETTLE_MS);
  }

  #failed(folder: string, error: unknown): void {
    this.#log.warn(
      { folder },
      `cannot watch ${folder} for a renewed certificate of the console: ${messageOf(error)}; remedy: restart the server after a renewal`,
    );
  }

  #unwatch(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  /** Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#unwatch();
  }
}

/** Without links; the path itself if it leads nowhere. */
function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
