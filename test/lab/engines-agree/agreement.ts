/** What a client and the server have agreed, or why the login failed, from the server's sessions and its log. */

/** Flat: `{ "lcp.client.mru": 1400 }`, or `{ "failed": CAUSE }`. */
export type Outcome = Readonly<Record<string, unknown>>;

type Json = Readonly<Record<string, unknown>>;

export interface LogLine {
  readonly level: string;
  readonly peer?: string;
  readonly cause?: string;
}

export interface Session {
  readonly peer: { readonly address: string };
  readonly user: string | null;
  readonly ppp: Json;
}

/** Chosen at random, or from the random hardware address of the client's interface. */
const RANDOM: ReadonlySet<string> = new Set(['magicNumber', 'interfaceIdentifier', 'endpointDiscriminator']);
/** That of the case with `endpoint`. */
const CONFIGURED_DISCRIMINATOR = '0101020304';
/** Any address of the pool is as good as another. */
const POOL = /^198\.51\.100\.(?:1[1-9]|[2-8]\d|90)$/;

function normal(key: string, value: unknown): unknown {
  if (RANDOM.has(key) && value !== CONFIGURED_DISCRIMINATOR) return 'random';
  return typeof value === 'string' && POOL.test(value) ? 'POOL' : value;
}

/** The leaves of `value` under their paths. */
function flat(value: unknown, path: readonly string[] = []): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [[path.join('.'), normal(path.at(-1) ?? '', value)]];
  return Object.entries(value).flatMap(([key, each]) => flat(each, [...path, key]));
}

function agreed(ppp: Json, protocol: string): unknown {
  const { client, server, open } = ppp[protocol] as {
    client: { agreed: unknown };
    server: { agreed: unknown };
    open: boolean;
  };
  return open ? { client: client.agreed, server: server.agreed } : null;
}

/** Of the client with this address. */
export function outcomeOf(address: string, sessions: readonly Session[], log: readonly LogLine[]): Outcome {
  const session = sessions.find(({ peer }) => peer.address === address);
  const failure = log.find(
    ({ level, peer, cause }) => level === 'warn' && cause !== undefined && peer?.startsWith(`${address}:`) === true,
  );
  if (failure?.cause !== undefined || session === undefined) return { failed: failure?.cause ?? 'nothing explains it' };
  const { user, ppp } = session;
  const agreement = {
    user,
    login: (ppp['authentication'] as Json)['protocol'],
    encryption: ppp['encryption'],
    lcp: agreed(ppp, 'lcp'),
    ipcp: agreed(ppp, 'ipcp'),
    ipv6cp: agreed(ppp, 'ipv6cp'),
  };
  return Object.fromEntries(flat(agreement));
}
