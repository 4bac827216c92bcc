/** The short form of `npm run soak`: visits under loss to ends of every kind, and nothing is left, lost or counted twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findings, table } from '../soak/report.js';
import { ADDRESSES, soak } from '../soak/run.js';
import { enterNamespace } from './support/netns.js';

enterNamespace(...ADDRESSES);

const OPTIONS = { minutes: 0.2, logins: 40, loss: 50, stay: 2, every: 1 } as const;

test(`${OPTIONS.logins} logins, the manager killed and replaced meanwhile`, async (t) => {
  const seed = Date.now() >>> 0;
  t.diagnostic(`seed ${seed}`);
  const found = findings(await soak({ ...OPTIONS, seed }));
  assert.deepEqual(
    found.filter(({ good }) => !good),
    [],
    table(found),
  );
});
