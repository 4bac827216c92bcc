/**
 * Prints one line for each client of a batch: what it and the server have agreed, or why its login failed.
 *
 *   node agreement.js SESSIONS.json SERVER.log TITLE...     the clients 192.0.2.11, .12, ... in that order
 */
import { readFileSync } from 'node:fs';

type Json = { readonly [key: string]: unknown };

interface LogLine {
  readonly level: string;
  readonly peer?: string;
  readonly cause?: string;
}

interface Session {
  readonly peer: { readonly address: string };
  readonly user: string | null;
  readonly ppp: Json;
}

const [sessionsFile = '', logFile = '', ...titles] = process.argv.slice(2);
const { sessions } = JSON.parse(readFileSync(sessionsFile, 'utf8')) as { readonly sessions: readonly Session[] };
const log = readFileSync(logFile, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line) as LogLine);

/** The lease is as good as any other of the pool, and magic numbers are random. */
function normal(value: unknown): unknown {
  if (typeof value === 'string')
    return /^198\.51\.100\.(?:1[1-9]|[2-9]\d)$/.test(value) && value !== '198.51.100.99' ? 'POOL' : value;
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => key !== 'endpointDiscriminator')
    .map(([key, each]) => [key, key === 'magicNumber' || key === 'interfaceIdentifier' ? '…' : normal(each)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => a.localeCompare(b)));
}

function agreed(ppp: Json, protocol: string): unknown {
  const { client, server, open } = ppp[protocol] as {
    client: { agreed: unknown };
    server: { agreed: unknown };
    open: boolean;
  };
  return open ? { client: client.agreed, server: server.agreed } : null;
}

for (const [index, title] of titles.entries()) {
  const address = `192.0.2.${11 + index}`;
  const session = sessions.find(({ peer }) => peer.address === address);
  const isOfClient = ({ peer }: LogLine): boolean => peer?.startsWith(`${address}:`) === true;
  const failure = log.find((line) => isOfClient(line) && line.level === 'warn' && line.cause !== undefined);
  const outcome =
    failure !== undefined || session === undefined
      ? `failed: ${failure?.cause ?? 'nothing explains it'}`
      : JSON.stringify(
          normal({
            user: session.user,
            login: (session.ppp['authentication'] as Json)['protocol'],
            encryption: session.ppp['encryption'],
            lcp: agreed(session.ppp, 'lcp'),
            ipcp: agreed(session.ppp, 'ipcp'),
            ipv6cp: agreed(session.ppp, 'ipv6cp'),
          }),
        );
  console.log(`${title}: ${outcome}`);
}
