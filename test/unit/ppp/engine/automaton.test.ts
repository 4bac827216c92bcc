/** The automaton against the table of RFC 1661 §4.1, in the layout in which the RFC prints it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Event, type State, transition } from '../../../../src/ppp/engine/automaton.js';

const LOWER_STATES: readonly State[] = ['initial', 'starting', 'closed', 'stopped', 'closing', 'stopping'];
const UPPER_STATES: readonly State[] = ['reqSent', 'ackRcvd', 'ackSent', 'opened'];
const NUMBERED = [...LOWER_STATES, ...UPPER_STATES];

const EVENTS: Readonly<Record<string, Event>> = {
  Up: 'up',
  Down: 'down',
  Open: 'open',
  Close: 'close',
  'TO+': 'to+',
  'TO-': 'to-',
  'RCR+': 'rcr+',
  'RCR-': 'rcr-',
  RCA: 'rca',
  RCN: 'rcn',
  RTR: 'rtr',
  RTA: 'rta',
  RUC: 'ruc',
  'RXJ+': 'rxj+',
  'RXJ-': 'rxj-',
  RXR: 'rxr',
};

/** Without the lines that only continue a cell. */
const LOWER = `
 Up   |    2     irc,scr/6     -         -         -         -
 Down |    -         -         0       tls/1       0         1
 Open |  tls/1       1     irc,scr/6     3r        5r        5r
 Close|    0       tlf/0       2         2         4         4
 TO+  |    -         -         -         -       str/4     str/5
 TO-  |    -         -         -         -       tlf/2     tlf/3
 RCR+ |    -         -       sta/2 irc,scr,sca/8   4         5
 RCR- |    -         -       sta/2 irc,scr,scn/6   4         5
 RCA  |    -         -       sta/2     sta/3       4         5
 RCN  |    -         -       sta/2     sta/3       4         5
 RTR  |    -         -       sta/2     sta/3     sta/4     sta/5
 RTA  |    -         -         2         3       tlf/2     tlf/3
 RUC  |    -         -       scj/2     scj/3     scj/4     scj/5
 RXJ+ |    -         -         2         3         4         5
 RXJ- |    -         -       tlf/2     tlf/3     tlf/2     tlf/3
 RXR  |    -         -         2         3         4         5`;

const UPPER = `
 Up   |    -         -         -           -
 Down |    1         1         1         tld/1
 Open |    6         7         8           9r
 Close|irc,str/4 irc,str/4 irc,str/4 tld,irc,str/4
 TO+  |  scr/6     scr/6     scr/8         -
 TO-  | tlf/3p    tlf/3p    tlf/3p         -
 RCR+ |  sca/8   sca,tlu/9   sca/8   tld,scr,sca/8
 RCR- |  scn/6     scn/7     scn/6   tld,scr,scn/6
 RCA  |  irc/7     scr/6x  irc,tlu/9   tld,scr/6x
 RCN  |irc,scr/6   scr/6x  irc,scr/8   tld,scr/6x
 RTR  |  sta/6     sta/6     sta/6   tld,zrc,sta/5
 RTA  |    6         6         8       tld,scr/6
 RUC  |  scj/6     scj/7     scj/8     scj/9
 RXJ+ |    6         6         8         9
 RXJ- |  tlf/3     tlf/3     tlf/3   tld,irc,str/5
 RXR  |    6         7         8       ser/9`;

for (const [states, table] of [
  [LOWER_STATES, LOWER],
  [UPPER_STATES, UPPER],
] as const) {
  for (const line of table.trim().split('\n')) {
    const [name = '', row = ''] = line.split('|');
    const event = EVENTS[name.trim()];
    assert.ok(event !== undefined);
    const cells = row.trim().split(/\s+/);
    assert.equal(cells.length, states.length);
    test(`${name.trim()} in ${states.join(', ')}`, () => {
      states.forEach((state, index) => {
        // The options r and p are not used; x is a remark.
        const cell = cells[index]?.replace(/[rpx]$/, '');
        const step = transition(state, event);
        const seen =
          step === null
            ? '-'
            : [step.actions.join(','), String(NUMBERED.indexOf(step.to))].filter((part) => part !== '').join('/');
        assert.equal(seen, cell, state);
      });
    });
  }
}
