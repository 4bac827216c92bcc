/**
 * The option negotiation automaton of RFC 1661 §4.1, for LCP and every NCP, as the table that the RFC prints. The compiler
 * checks that each event has a cell for each state and that each cell names known actions and a state.
 */

/** RFC 1661 §4.2, in the order of their numbers in the table. */
const STATES = [
  'initial',
  'starting',
  'closed',
  'stopped',
  'closing',
  'stopping',
  'reqSent',
  'ackRcvd',
  'ackSent',
  'opened',
] as const;
export type State = (typeof STATES)[number];

/**
 * RFC 1661 §4.4: this layer up, down, started, finished; initialize and zero restart counter; send Configure-Request, -Ack,
 * -Nak or -Reject, Terminate-Request, Terminate-Ack, Code-Reject, Echo-Reply.
 */
export type Action =
  | 'tlu'
  | 'tld'
  | 'tls'
  | 'tlf'
  | 'irc'
  | 'zrc'
  | 'scr'
  | 'sca'
  | 'scn'
  | 'str'
  | 'sta'
  | 'scj'
  | 'ser';

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
/** Actions and the next state; `-` where the event cannot happen. */
type Cell =
  | '-'
  | `${Digit}`
  | `${Action}/${Digit}`
  | `${Action},${Action}/${Digit}`
  | `${Action},${Action},${Action}/${Digit}`;
type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell];

/**
 * RFC 1661 §4.1 with its names of events in lower case. Its notes r (restart option) and p (passive option) are left out,
 * since nothing here is configured so; x (crossed connection) is what a tester should see in those cells.
 */
const TABLE = {
  //        initial  starting   closed       stopped        closing    stopping   reqSent    ackRcvd    ackSent    opened
  up: /* */ ['2', 'irc,scr/6', '-', '-', '-', '-', '-', '-', '-', '-'],
  down: /**/ ['-', '-', '0', 'tls/1', '0', '1', '1', '1', '1', 'tld/1'],
  open: /**/ ['tls/1', '1', 'irc,scr/6', '3', '5', '5', '6', '7', '8', '9'],
  close: /**/ ['0', 'tlf/0', '2', '2', '4', '4', 'irc,str/4', 'irc,str/4', 'irc,str/4', 'tld,irc,str/4'],
  'to+': ['-', '-', '-', '-', 'str/4', 'str/5', 'scr/6', 'scr/6', 'scr/8', '-'],
  'to-': ['-', '-', '-', '-', 'tlf/2', 'tlf/3', 'tlf/3', 'tlf/3', 'tlf/3', '-'],
  'rcr+': ['-', '-', 'sta/2', 'irc,scr,sca/8', '4', '5', 'sca/8', 'sca,tlu/9', 'sca/8', 'tld,scr,sca/8'],
  'rcr-': ['-', '-', 'sta/2', 'irc,scr,scn/6', '4', '5', 'scn/6', 'scn/7', 'scn/6', 'tld,scr,scn/6'],
  rca: ['-', '-', 'sta/2', 'sta/3', '4', '5', 'irc/7', 'scr/6', 'irc,tlu/9', 'tld,scr/6'],
  rcn: ['-', '-', 'sta/2', 'sta/3', '4', '5', 'irc,scr/6', 'scr/6', 'irc,scr/8', 'tld,scr/6'],
  rtr: ['-', '-', 'sta/2', 'sta/3', 'sta/4', 'sta/5', 'sta/6', 'sta/6', 'sta/6', 'tld,zrc,sta/5'],
  rta: ['-', '-', '2', '3', 'tlf/2', 'tlf/3', '6', '6', '8', 'tld,scr/6'],
  ruc: ['-', '-', 'scj/2', 'scj/3', 'scj/4', 'scj/5', 'scj/6', 'scj/7', 'scj/8', 'scj/9'],
  'rxj+': ['-', '-', '2', '3', '4', '5', '6', '6', '8', '9'],
  'rxj-': ['-', '-', 'tlf/2', 'tlf/3', 'tlf/2', 'tlf/3', 'tlf/3', 'tlf/3', 'tlf/3', 'tld,irc,str/5'],
  rxr: ['-', '-', '2', '3', '4', '5', '6', '7', '8', 'ser/9'],
} as const satisfies Readonly<Record<string, Row>>;

/**
 * RFC 1661 §4.3: lower layer up and down, administrative open and close, timeout with retransmissions left and without;
 * received Configure-Request good and bad, Configure-Ack, -Nak or -Reject, Terminate-Request, -Ack, unknown code, Code- or
 * Protocol-Reject that is permitted or catastrophic, Echo-Request.
 */
export type Event = keyof typeof TABLE;

export interface Transition {
  readonly actions: readonly Action[];
  readonly to: State;
}

function transitionOf(cell: Cell): Transition | null {
  if (cell === '-') return null;
  const [state, actions] = cell.split('/').toReversed();
  const to = STATES[Number(state)];
  if (to === undefined) throw new Error(`no state in the cell ${cell}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type of a cell admits actions alone
  return { actions: (actions?.split(',') ?? []) as Action[], to };
}

const TRANSITIONS = new Map(
  Object.entries<Row>(TABLE).map(([event, row]) => [
    event,
    new Map(STATES.map((state, number) => [state, transitionOf(row[number] ?? '-')])),
  ]),
);

/** What `event` does in `state`; null where it cannot happen. */
export function transition(state: State, event: Event): Transition | null {
  return TRANSITIONS.get(event)?.get(state) ?? null;
}

/** Whether a negotiation is in progress, so that its option values must be kept (RFC 1661 §4.2, 6 to 8). */
export const isNegotiating = (state: State): boolean =>
  state === 'reqSent' || state === 'ackRcvd' || state === 'ackSent';

/** Whether the restart timer runs (RFC 1661 §4.2, 4 to 8). */
export const isTimed = (state: State): boolean => state === 'closing' || state === 'stopping' || isNegotiating(state);
