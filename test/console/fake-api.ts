/**
 * A console without a server, to work on the page: `node dist/test/console/fake-api.js [--port 8723] [--sessions 1000]`.
 * Name and password are `admin` and `admin`, or `view` and `view`. It answers with generated data.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { loadPageFiles } from '../../src/console/page-files.js';
import { FIELDS } from '../../src/users/user-store.js';
import { detail, failures, FINDINGS, history, rateOf, sessions, status, traffic, users } from './generated.js';

export interface FakeApi {
  readonly url: string;
  close(): void;
}

export async function startFakeApi({ port = 0, count = 40 }: { port?: number; count?: number } = {}): Promise<FakeApi> {
  const page = loadPageFiles();
  const now = Date.now();
  let rows = sessions(count, now);
  const streams = new Set<ServerResponse>();
  let turn = 0;

  const send = (response: ServerResponse, code: number, body: unknown): void => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const tell = (events: readonly unknown[], to: Iterable<ServerResponse> = streams): void => {
    for (const each of to) each.write(`event: batch\ndata: ${JSON.stringify(events)}\n\n`);
  };
  const timer = setInterval(() => {
    turn += 1;
    const rates = Object.fromEntries(
      rows.flatMap((row, index) => {
        if (row.phase !== 'up') return [];
        const [rx, tx] = rateOf(index, turn);
        return [[row.id, [rx, tx, row.rxBytes + (rx * turn) / 4, row.txBytes + (tx * turn) / 4]]];
      }),
    );
    tell([{ event: 'rates', data: rates }]);
    if (turn % 3 === 1 && rows.length > 0) {
      const row = rows[turn % rows.length];
      tell([
        {
          event: 'happening',
          data: {
            time: Date.now(),
            event: turn % 2 === 0 ? 'failed' : 'up',
            session: row?.id,
            user: row?.user,
            client: row?.client,
            address: row?.address,
            detail: null,
            cause: turn % 2 === 0 ? 'greNotReceived' : null,
          },
        },
      ]);
    }
  }, 2000);

  const kick = (id: string): void => {
    rows = rows.filter((row) => row.id !== id);
    tell([{ event: 'gone', data: { id } }]);
  };
  const roleOf = (request: IncomingMessage): string | null =>
    /fake=(admin|view)/.exec(request.headers.cookie ?? '')?.[1] ?? null;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const path = url.pathname.replace(/^\/api\/v1/, '');
    if (path === url.pathname) {
      const found = page.respond(path, {
        acceptEncoding: request.headers['accept-encoding'] ?? '',
        ifNoneMatch: request.headers['if-none-match'] ?? '',
      });
      if (found === null) send(response, 404, { error: 'there is no such page' });
      else {
        response.writeHead(found.status, {
          ...found.headers,
          'content-security-policy':
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
        });
        response.end(found.body);
      }
      return;
    }
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const key = `${request.method} ${path}`;
    if (key === 'POST /login') {
      const { name, password } = JSON.parse(text) as { name: string; password: string };
      if (name !== password || !['admin', 'view'].includes(name)) {
        send(response, 401, { error: 'name or password is wrong' });
        return;
      }
      response.setHeader('set-cookie', `fake=${name}; HttpOnly; SameSite=Strict; Path=/`);
      send(response, 200, {});
      return;
    }
    const role = roleOf(request);
    if (role === null) {
      send(response, 401, { error: 'nobody is logged in' });
      return;
    }
    if (key === 'GET /me') send(response, 200, { name: role, role, csrf: 'token' });
    else if (key === 'POST /logout') {
      response.setHeader('set-cookie', 'fake=; Max-Age=0; Path=/');
      send(response, 200, {});
    } else if (key === 'GET /events') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      streams.add(response);
      response.on('close', () => streams.delete(response));
      tell(
        [
          { event: 'status', data: status(rows.length, now) },
          { event: 'snapshot', data: { sessions: rows, unreachable: [] } },
        ],
        [response],
      );
    } else if (key === 'GET /traffic') send(response, 200, { points: traffic(count, Date.now()) });
    else if (key === 'GET /failures') {
      const cause = url.searchParams.get('cause');
      const all = failures(Date.now()).filter((each) => cause === null || each.cause === cause);
      const byCause: Record<string, number> = {};
      for (const each of all) byCause[each.cause ?? 'unknown'] = (byCause[each.cause ?? 'unknown'] ?? 0) + 1;
      send(response, 200, { failures: all.slice(0, Number(url.searchParams.get('limit') ?? 100)), byCause });
    } else if (key === 'GET /doctor') send(response, 200, { findings: FINDINGS });
    else if (key === 'GET /blocks')
      send(response, 200, { blocks: [{ address: '203.0.113.77', failedLogins: 12, remaining: 431 }] });
    else if (key === 'GET /users')
      send(response, 200, {
        users: users(now),
        file: '/etc/pptpd-ts/accounts.json',
        keeps: FIELDS,
        storesHash: true,
      });
    else if (key === 'GET /history') {
      const search = url.searchParams.get('search') ?? '';
      const begin = Number(url.searchParams.get('before') ?? 0);
      const all = history(now).filter((each) => JSON.stringify(each).includes(search));
      send(response, 200, {
        sessions: all.slice(begin, begin + 100),
        next: begin + 100 < all.length ? String(begin + 100) : null,
      });
    } else if (key === 'POST /reload' || key === 'POST /check') send(response, 200, { problems: [] });
    else {
      const [, id = '', deed = ''] = /^\/sessions\/([0-9a-z]+)(?:\/(\w+))?$/.exec(path) ?? [];
      const row = rows.find((each) => each.id === id);
      if (row === undefined) send(response, 404, { error: `there is no session ${id}` });
      else if (deed === 'kick') {
        kick(id);
        send(response, 200, { ended: [id] });
      } else send(response, 200, detail(row));
    }
  };

  const server = createServer((request, response) => void answer(request, response));
  server.on('close', () => clearInterval(timer));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

if (import.meta.filename === process.argv[1]) {
  const { values } = parseArgs({ options: { port: { type: 'string' }, sessions: { type: 'string' } } });
  const { url } = await startFakeApi({ port: Number(values.port ?? 8723), count: Number(values.sessions ?? 40) });
  process.stdout.write(`${url}, login: admin admin\n`);
}
