import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { StatePublisher } from '../../../src/ctrl/state-publisher.js';
import { Timers } from '../../../src/ctrl/timers.js';
import type { PppState } from '../../../src/ppp/reader.js';
import { CHAP, Link } from '../ppp/frames.js';

/** Longer than the first steps are kept together, but not as long as those behind them. */
const FIRST_MS = 50;
/** Longer than steps are kept together. */
const REST_MS = 1000;

function fixture(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const link = new Link();
  const told: PppState[] = [];
  const publisher = new StatePublisher({
    timers: new Timers(),
    publish: () => void told.push(link.state),
    ppp: () => link.state,
  });
  /** Does something with the link, and has its events follow. */
  const play = (what: () => void): void => {
    const before = link.events.length;
    what();
    for (let event = before; event < link.events.length; event += 1) publisher.step();
  };
  return {
    link,
    publisher,
    told,
    play,
    restAtFirst: () => t.mock.timers.tick(FIRST_MS),
    rest: () => t.mock.timers.tick(REST_MS),
  };
}

const results = (told: readonly PppState[]): string[] =>
  told.map(({ authentication }) => `${authentication.result} ${authentication.responses}`);

test('the first steps are told together and soon, those behind them later, the last one by the state that it led to', (t) => {
  const { link, told, play, restAtFirst, rest } = fixture(t);
  const steps = (): void => {
    for (let round = 0; round < 100; round += 1) play(() => link.open());
  };
  steps();
  assert.equal(told.length, 0);
  restAtFirst();
  assert.equal(told.length, 1);
  steps();
  restAtFirst();
  assert.equal(told.length, 1);
  rest();
  assert.equal(told.length, 2);
  assert.deepEqual(told.at(-1), link.state);
  rest();
  assert.equal(told.length, 2, 'nothing is owed any more');
});

test('every failed login is told at once and once, though LCP begins anew between them', (t) => {
  const { link, told, play, rest } = fixture(t);
  for (let login = 0; login < 3; login += 1) {
    play(() => link.open());
    link.challenge();
    play(() => link.respond('alice'));
    play(() => link.server(CHAP, 4, 7, 'E=691 R=0 C=00 V=3 M=Access denied'));
  }
  assert.deepEqual(results(told), ['failed 1', 'failed 2', 'failed 3']);
  rest();
  assert.equal(told.length, 3);
});

test('one that succeeds is told at once, and not again when the same user logs in anew at once', (t) => {
  const { link, told, play, rest } = fixture(t);
  for (let login = 0; login < 100; login += 1) play(() => link.login());
  assert.deepEqual(
    told.map(({ user, authentication }) => `${user} ${authentication.result}`),
    ['alice succeeded'],
  );
  rest();
  assert.equal(told.length, 2);
});

test('what is owed is told before the call goes', (t) => {
  const { link, publisher, told, play } = fixture(t);
  play(() => link.open());
  play(() => link.open());
  publisher.flush();
  publisher.flush();
  assert.equal(told.length, 1);
});
