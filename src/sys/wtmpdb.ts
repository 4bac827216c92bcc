/**
 * Login records in wtmpdb, which Debian 13's `last` reads. Only root may write them. The library waits for locks and the
 * disk, so it is called outside of the event loop.
 */
import koffi from './koffi.js';
import { libc } from './libc.js';
import type { LoginEntry } from './login-records.js';
import { messageOf } from './thrown.js';

const LIBRARY = 'libwtmpdb.so.0';
/** wtmpdb.h: a login, not a boot. */
const USER_PROCESS = 3;
/** `last --service` shows it. */
const SERVICE = 'pptpd-ts';
const US_PER_MS = 1000;

type Call = (...values: readonly unknown[]) => Promise<number>;

interface Library {
  readonly login: Call;
  readonly logout: Call;
  /** The open entry of a line. */
  readonly find: Call;
}

let library: Library | null = null;

/** null: wtmpdb is not installed. */
function load(): Library | null {
  let file;
  try {
    file = koffi.load(LIBRARY);
  } catch {
    return null;
  }
  const text = koffi.disposable('WtmpdbText', 'str', libc.func('void free(void *)'));
  const errorOut = koffi.out(koffi.pointer(text));
  const callable = (name: string, result: string, types: readonly string[]): Call => {
    const func = file.func(name, result, [...types, errorOut]);
    return async (...values) =>
      new Promise((resolve, reject) => {
        const error: (string | null)[] = [null];
        func.async(...values, error, (failure: Error | null, value: number | bigint) => {
          if (failure !== null) reject(failure);
          else if (value < 0) reject(new Error(error[0] ?? `${name} returned ${value}`));
          else resolve(Number(value));
        });
      });
  };
  return {
    login: callable('wtmpdb_login', 'int64', ['str', 'int', 'str', 'uint64', 'str', 'str', 'str']),
    logout: callable('wtmpdb_logout', 'int', ['str', 'int64', 'uint64']),
    find: callable('wtmpdb_get_id', 'int64', ['str', 'str']),
  };
}

export type WtmpdbLogin = Pick<LoginEntry, 'line' | 'user' | 'host'>;

export interface WtmpdbOptions {
  readonly onFailure: (message: string) => void;
  /** The database; default: the system's. */
  readonly file?: string;
}

/** The login of one session. Without wtmpdb nothing is written. */
export class WtmpdbEntry {
  readonly #file: string | null;
  readonly #onFailure: (message: string) => void;
  /** Of the open entry; null: none that this process has made. */
  #id: number | null = null;
  #turn: Promise<void> = Promise.resolve();

  constructor({ onFailure, file }: WtmpdbOptions) {
    this.#onFailure = onFailure;
    this.#file = file ?? null;
  }

  /** Resolves when everything is written. Never rejects. */
  get written(): Promise<void> {
    return this.#turn;
  }

  /** `time`: milliseconds since the epoch, here and below. */
  begin({ line, user, host }: WtmpdbLogin, time: number): void {
    this.#inTurn(async ({ login }) => {
      this.#id = await login(this.#file, USER_PROCESS, user, time * US_PER_MS, line, host, SERVICE);
    });
  }

  /** Also of an entry that an earlier process has begun. */
  end(line: string, time: number): void {
    this.#inTurn(async ({ logout, find }) => {
      const id = this.#id ?? (await find(this.#file, line));
      this.#id = null;
      await logout(this.#file, id, time * US_PER_MS);
    });
  }

  #inTurn(write: (wtmpdb: Library) => Promise<void>): void {
    library ??= load();
    const wtmpdb = library;
    if (wtmpdb === null) return;
    this.#turn = this.#turn
      .then(async () => write(wtmpdb))
      .catch((error: unknown) => this.#onFailure(messageOf(error)));
  }
}
