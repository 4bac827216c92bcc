/** Why the monitor did not do what it was asked for, as data and as a sentence. Pure. */
import { LOGIN_PROBLEMS, type LoginProblem } from '../radius/protocol.js';
import { type Refusal, REFUSALS } from './protocol.js';

/** `unavailable`: it cannot be reached, or does not answer. */
export type MonitorFailure =
  | { readonly kind: 'unavailable'; readonly code: string }
  | { readonly kind: 'refused'; readonly reason: Refusal }
  | { readonly kind: 'notJudged'; readonly problem: LoginProblem; readonly servers: string }
  | { readonly kind: 'failed'; readonly step: string; readonly code: string };

export class MonitorError extends Error {
  readonly failure: MonitorFailure;

  constructor(failure: MonitorFailure) {
    super(sentenceOf(failure));
    this.failure = failure;
  }
}

/** `notRunning`: neither it nor its supervisor, which would start it again. */
export type Absence = 'notRunning' | 'notAnswering' | 'unreachable';

/** By the error name of the connection; all others: `unreachable`. */
const ABSENCE_CODES: Readonly<Record<string, Absence>> = {
  ECONNREFUSED: 'notRunning',
  ENOENT: 'notRunning',
  ETIMEDOUT: 'notAnswering',
  EAGAIN: 'notAnswering',
};

export const absenceOf = (code: string): Absence => ABSENCE_CODES[code] ?? 'unreachable';

const ABSENCES: Readonly<Record<Absence, string>> = {
  notRunning: 'neither the monitor nor its supervisor is running',
  notAnswering: 'the monitor does not answer',
  unreachable: 'the monitor cannot be reached',
};

function sentenceOf(failure: MonitorFailure): string {
  switch (failure.kind) {
    case 'unavailable':
      return `${ABSENCES[absenceOf(failure.code)]}: ${failure.code}`;
    case 'refused':
      return `the monitor refused the request: ${REFUSALS[failure.reason]}`;
    case 'notJudged':
      return `${LOGIN_PROBLEMS[failure.problem]} (${failure.servers})`;
    case 'failed':
      return `cannot ${failure.step}: ${failure.code}`;
  }
}
