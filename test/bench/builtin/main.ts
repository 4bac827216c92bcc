/**
 * The load generator of the builtin engine's rows: a client with MPPE-128, and a host behind the server to which the
 * server's kernel forwards. It takes the options of load.c that it needs, counts in the same slices, and prints the same
 * JSON. Started in the clients' namespace, on the load's core.
 *
 *     client ══ GRE, TUN `server` ══ worker ── its TUN device ── forwarding ── TUN `inside` ══ host
 */
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { listSessionIds, readRecord } from '../../../src/session/record.js';
import { Poller } from '../../../src/sys/poller.js';
import { addressNumber } from '../../../src/config/addresses.js';
import { SERVER_ADDRESS } from '../network.js';
import { Echo } from './echo.js';
import { Line } from './line.js';
import { Session } from './session.js';
import { Slices, Watched } from './slices.js';
import { Downlink, Uplink } from './tcp-traffic.js';
import type { Traffic } from './traffic.js';
import { openTunEnd } from './tun-end.js';

const SETUP_MS = 60_000;
/** A worker that has just begun its session goes on for some seconds, V8 has things to put away. */
const LOOK_MS = 500;
const MAX_LOOKS = 80;
const MAX_ADDRESSES = 250;

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: '' },
    clients: { type: 'string', default: '' },
    run: { type: 'string', default: '' },
    work: { type: 'string', default: 'none' },
    size: { type: 'string', default: '64' },
    window: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '1' },
    warm: { type: 'string', default: '0.5' },
    idle: { type: 'string', default: '0' },
    sampled: { type: 'boolean', default: false },
  },
});
const [size, window, idle] = [Number(values.size), Number(values.window), Number(values.idle)];
const line = new Line(values, addressNumber(SERVER_ADDRESS) ?? 0);
const inside = openTunEnd(values.server, 'inside', true);
const pump = new Poller(() => {
  line.drain(64);
  line.drainClients();
});
for (const fd of line.descriptors) pump.watch(fd, true, false);

async function until(what: string, isDone: () => boolean): Promise<void> {
  const deadline = performance.now() + SETUP_MS;
  while (!isDone()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come about`);
    await wait(1);
  }
}

const firstCallId = 1 + (process.pid % 60_000);

async function openSession(index: number, withData: boolean): Promise<Session> {
  const address = `198.51.100.${1 + (index % MAX_ADDRESSES)}`;
  const session = new Session(line, { address, callId: firstCallId + index, withData });
  await session.start();
  await until(`session ${index}`, () => session.isUp);
  return session;
}

const workers = (): number[] =>
  listSessionIds(values.run).flatMap((id) => readRecord(values.run, id)?.worker.pid ?? []);

/** Proportional set size of the workers of idle sessions, KiB on average, once they have come to rest. */
async function idleMemory(): Promise<number> {
  const watched = workers().map((pid) => new Watched(pid));
  const runs = (): number => watched.reduce((sum, worker) => sum + worker.usage().runs, 0);
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    const before = runs();
    await wait(LOOK_MS);
    if (runs() - before < watched.length) break;
  }
  return watched.reduce((sum, worker) => sum + worker.memory('smaps_rollup', 'Pss'), 0) / watched.length;
}

const TRAFFIC = { uplink: Uplink, downlink: Downlink, echo: Echo } as const;

async function run(): Promise<void> {
  if (values.work === 'none') {
    for (let index = 0; index < idle; index += 1) await openSession(index, false);
    console.log(JSON.stringify({ idleMemory: await idleMemory(), slices: [] }));
    return;
  }
  const session = await openSession(0, true);
  const Kind = TRAFFIC[values.work as keyof typeof TRAFFIC];
  const traffic: Traffic = new Kind({ line, session, inside, size, window });
  // The server's interface is configured after IPCP has opened.
  await until('the way through the tunnel', () => traffic.probe());
  const [pid = 0] = workers();
  pump.close();
  const slices = new Slices({
    worker: new Watched(pid),
    warm: Number(values.warm),
    seconds: Number(values.seconds),
    counted: () => traffic.counted(),
  });
  // Told twice, the worker samples what it allocates in between (sampler.ts).
  const sample = (): void => {
    if (values.sampled) process.kill(pid, 'SIGUSR2');
  };
  traffic.begin();
  while (slices.goOn() && slices.isWarming) traffic.step();
  sample();
  while (slices.goOn()) traffic.step();
  sample();
  console.log(JSON.stringify({ ...slices.result, wrongPackets: line.wrong.examples }));
}

await run();
process.exit();
