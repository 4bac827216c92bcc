/** The addresses of the views. Pure. */

export type Route =
  | { readonly view: 'overview' | 'sessions' | 'failures' | 'users' | 'history' | 'server' | 'login' | 'unknown' }
  | { readonly view: 'session'; readonly id: string };

const PLAIN = {
  '/': 'overview',
  '/login': 'login',
  '/sessions': 'sessions',
  '/failures': 'failures',
  '/users': 'users',
  '/history': 'history',
  '/server': 'server',
} as const;

export function routeOf(path: string): Route {
  const trimmed = path.replace(/^(\/.+)\/$/, '$1');
  if (Object.hasOwn(PLAIN, trimmed)) return { view: PLAIN[trimmed as keyof typeof PLAIN] };
  const [, id] = /^\/sessions\/([0-9a-z]+)$/.exec(trimmed) ?? [];
  return id === undefined ? { view: 'unknown' } : { view: 'session', id };
}

/** Where to go after the login: a path of this page, never another server's. */
export function safeReturn(path: string | null): string {
  return path !== null && path.startsWith('/') && !['unknown', 'login'].includes(routeOf(path).view) ? path : '/';
}
