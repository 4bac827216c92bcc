/**
 * Loaded into our server before its own code (`node --import`) where allocations are sampled: SIGUSR2 begins, the next
 * one ends, and the profile goes to the file that SAMPLES names. What is collected meanwhile counts too: garbage per
 * packet is what is looked for.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

/** Octets between samples, on average. */
const INTERVAL = 65536;

const file = process.env['SAMPLES'] ?? '';
const session = new Session();
let isSampling = false;

process.on('SIGUSR2', () => {
  if (isSampling) {
    session.post('HeapProfiler.stopSampling', (error, result) => {
      if (error !== null) throw error;
      writeFileSync(`${file}.new`, JSON.stringify(result.profile));
      renameSync(`${file}.new`, file);
    });
    return;
  }
  isSampling = true;
  session.connect();
  // @types/node 20 does not know the two that follow the interval; V8 11 does.
  const options: object = {
    samplingInterval: INTERVAL,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  };
  session.post('HeapProfiler.startSampling', options);
});
