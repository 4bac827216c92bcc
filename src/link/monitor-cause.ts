/** The end causes for requests that the monitor did not carry out. */
import { MonitorError, type MonitorFailure } from '../monitor/monitor-failure.js';
import { messageOf } from '../sys/thrown.js';
import type { EndCause } from './end-cause.js';

/** An interface that could not be opened or configured. */
export const deviceCause = (error: unknown): EndCause => ({ kind: 'device', ...dataOf(error) });

/** A login that could not be checked. */
export const loginCause = (error: unknown): EndCause => ({ kind: 'login', ...dataOf(error) });

function dataOf(error: unknown): { readonly problem: string; readonly failure?: MonitorFailure } {
  const problem = messageOf(error);
  return error instanceof MonitorError ? { problem, failure: error.failure } : { problem };
}
