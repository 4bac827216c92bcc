/**
 * A store whose list is made anew only when nine tenths of the time have gone by without making one: with ten thousand
 * accounts it takes some tenths of a second, in which its process can do nothing else. Changes made here show at once.
 */
import type { UserStore } from './user-store.js';

/** How often a list's own time has to pass before the next one is made. */
const PAUSES = 9;

/** `now`: ms of the monotonic clock. */
export function withRememberedList(store: UserStore, now: () => number = () => performance.now()): UserStore {
  let last: { readonly users: Awaited<ReturnType<UserStore['list']>>; readonly until: number } | null = null;
  const changing = async (change: () => Promise<void>): Promise<void> => {
    try {
      await change();
    } finally {
      last = null;
    }
  };
  return {
    file: store.file,
    keeps: store.keeps,
    endsSessions: store.endsSessions,
    storesHash: store.storesHash,
    list: async () => {
      const begin = now();
      if (last !== null && begin < last.until) return last.users;
      const users = await store.list();
      const end = now();
      last = { users, until: end + PAUSES * (end - begin) };
      return users;
    },
    add: async (user) => changing(async () => store.add(user)),
    set: async (name, fields) => changing(async () => store.set(name, fields)),
    setPassword: async (user) => changing(async () => store.setPassword(user)),
    setDisabled: async (name, isDisabled) => changing(async () => store.setDisabled(name, isDisabled)),
    remove: async (name) => changing(async () => store.remove(name)),
    remarks: async (name) => store.remarks(name),
  };
}
