/**
 * What a spare worker has used when it is ready for its first client, with the Node.js that runs this: one line with CPU
 * time (ms) and proportional memory (MiB) on average of a few workers.
 */
import { enterNamespace } from '../process/support/netns.js';
import { SERVER_ADDRESS, Server } from '../process/support/server.js';
import { Watched } from '../bench/builtin/slices.js';

const WORKERS = 4;
const NS_PER_MS = 1e6;
const KIB_PER_MIB = 1024;

enterNamespace(SERVER_ADDRESS);

const server = new Server(false);
server.configure({ workers: { spare: WORKERS } });
server.start();
try {
  await server.ready();
  await server.waitForSpareWorkers(WORKERS);
  const workers = server.spareWorkers().map((pid) => new Watched(pid));
  const average = (figure: (worker: Watched) => number): string =>
    (workers.reduce((sum, worker) => sum + figure(worker), 0) / workers.length).toFixed(1);
  const cpu = average((worker) => worker.usage().cpu / NS_PER_MS);
  const memory = average((worker) => worker.memory('smaps_rollup', 'Pss') / KIB_PER_MIB);
  process.stdout.write(`${cpu} ${memory}\n`);
} finally {
  await server.stop();
  await server.cleanUp();
}
