import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { StatePublisher } from '../../../src/ctrl/state-publisher.js';
import { Timers } from '../../../src/ctrl/timers.js';
import type { PppState } from '../../../src/ppp/reader.js';
import { CHAP, Link } from '../ppp/frames.js';

/** Longer than the time for the first steps, but shorter than the interval. */
const FIRST_MS = 50;
/** Longer than the interval. */
const REST_MS = 1000;

function fixture(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const link = new Link();
  const published: PppState[] = [];
  const publisher = new StatePublisher({
    timers: new Timers(),
    publish: () => void published.push(link.state),
    ppp: () => link.state,
  });
  /** Passes frames on the link, and reports their events. */
  const play = (what: () => void): void => {
    const before = link.events.length;
    what();
    for (let event = before; event < link.events.length; event += 1) publisher.step();
  };
  return {
    link,
    publisher,
    published,
    play,
    restAtFirst: () => t.mock.timers.tick(FIRST_MS),
    rest: () => t.mock.timers.tick(REST_MS),
  };
}

const results = (published: readonly PppState[]): string[] =>
  published.map(({ authentication }) => `${authentication.result} ${authentication.responses}`);

test('the first steps are published together and soon, later ones at intervals with the last state', (t) => {
  const { link, published, play, restAtFirst, rest } = fixture(t);
  const steps = (): void => {
    for (let round = 0; round < 100; round += 1) play(() => link.open());
  };
  steps();
  assert.equal(published.length, 0);
  restAtFirst();
  assert.equal(published.length, 1);
  steps();
  restAtFirst();
  assert.equal(published.length, 1);
  rest();
  assert.equal(published.length, 2);
  assert.deepEqual(published.at(-1), link.state);
  rest();
  assert.equal(published.length, 2, 'nothing is owed any more');
});

test('each failed login is published at once and once, even if LCP restarts in between', (t) => {
  const { link, published, play, rest } = fixture(t);
  for (let login = 0; login < 3; login += 1) {
    play(() => link.open());
    link.challenge();
    play(() => link.respond('alice'));
    play(() => link.server(CHAP, 4, 7, 'E=691 R=0 C=00 V=3 M=Access denied'));
  }
  assert.deepEqual(results(published), ['failed 1', 'failed 2', 'failed 3']);
  rest();
  assert.equal(published.length, 3);
});

test('a successful login is published at once, and not again if the same user logs in again at once', (t) => {
  const { link, published, play, rest } = fixture(t);
  for (let login = 0; login < 100; login += 1) play(() => link.login());
  assert.deepEqual(
    published.map(({ user, authentication }) => `${user} ${authentication.result}`),
    ['alice succeeded'],
  );
  rest();
  assert.equal(published.length, 2);
});

test('flush publishes a pending step', (t) => {
  const { link, publisher, published, play } = fixture(t);
  play(() => link.open());
  play(() => link.open());
  publisher.flush();
  publisher.flush();
  assert.equal(published.length, 1);
});
