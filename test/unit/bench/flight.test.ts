/** What the load generator of the builtin engine counts as lost, and what as wrong. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Flight } from '../../bench/builtin/flight.js';
import { WrongPackets } from '../../bench/builtin/wrong-packets.js';

function flown(sent: number): Flight {
  const flight = new Flight();
  flight.sent = sent;
  return flight;
}

describe('packets under way', () => {
  test('arrive one by one, or several at once', () => {
    const flight = flown(64);
    assert.ok(flight.arrive(0));
    assert.ok(flight.arrive(1, 32));
    assert.deepEqual([flight.received, flight.lost, flight.underWay], [33, 0, 31]);
  });

  test('that come after a silence are neither lost nor wrong', () => {
    const flight = flown(64);
    flight.stopWaiting();
    assert.equal(flight.underWay, 0);
    flight.sent += 64;
    assert.ok(flight.arrive(0, 32));
    assert.equal(flight.underWay, 64);
    assert.ok(flight.arrive(32, 64));
    assert.deepEqual([flight.received, flight.lost, flight.underWay], [96, 0, 32]);
  });

  test('are lost when a later one has come, and the later one is not wrong', () => {
    const flight = flown(10);
    assert.ok(flight.arrive(0));
    assert.ok(flight.arrive(3, 2));
    assert.deepEqual([flight.received, flight.lost, flight.underWay], [3, 2, 5]);
    assert.ok(flight.arrive(5));
    assert.equal(flight.lost, 2);
  });

  test('are wrong that came before, were never sent, or have no number', () => {
    const flight = flown(10);
    assert.ok(flight.arrive(4, 2));
    const wrong: readonly (readonly [number, number])[] = [
      [5, 1],
      [3, 1],
      [4, 3],
      [10, 1],
      [9, 2],
      [-1, 1],
      [6.5, 1],
      [6, 0.5],
      [6, 0],
      [Number.NaN, 1],
    ];
    for (const [number, count] of wrong)
      assert.equal(flight.arrive(number, count), false, `${count} from ${number} on`);
    assert.deepEqual([flight.received, flight.lost, flight.next], [2, 4, 6]);
  });

  test('whatever is lost, joined and waited for, none is wrong and the sums agree', () => {
    const step = fc.record({ launched: fc.nat(70), lost: fc.nat(5), came: fc.nat(48), isSilent: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const flight = new Flight();
        let [next, received, lost] = [0, 0, 0];
        for (const { launched, lost: some, came, isSilent } of steps) {
          flight.sent += launched;
          if (isSilent) flight.stopWaiting();
          const skipped = Math.min(some, flight.sent - next);
          const count = Math.min(came, flight.sent - next - skipped);
          if (count === 0) continue;
          assert.ok(flight.arrive(next + skipped, count));
          next += skipped + count;
          received += count;
          lost += skipped;
          assert.deepEqual([flight.received, flight.lost, flight.next], [received, lost, next]);
          assert.ok(flight.underWay >= 0 && flight.underWay <= flight.sent - next);
        }
      }),
    );
  });
});

test('a few wrong packets are kept as they came, with what is wrong', () => {
  const octets = Uint8Array.from({ length: 400 }, (_, at) => at & 0xff);
  const wrong = new WrongPackets(octets);
  wrong.add('length', 16, 4);
  wrong.add('payload', 100, 200, 250);
  for (let count = 0; count < 100; count += 1) wrong.add('other', 0, 1);
  assert.equal(wrong.count, 102);
  assert.equal(wrong.examples.length, 4);
  assert.equal(wrong.examples[0], 'length; 4 octets: 10111213');
  assert.match(wrong.examples[1] ?? '', /^payload from octet 150 on; 200 octets: 646566.* … dadb.*fafbfc.*1819$/);
});
