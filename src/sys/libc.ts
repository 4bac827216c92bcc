/**
 * Loads libc once (koffi; a call takes about 300 ns) and interprets its errors. Each file in this folder declares the
 * functions that it calls.
 */
import { constants } from 'node:os';
import koffi from './koffi.js';

export const libc = koffi.load(null);

/** The error number of the last call, which returned -1. */
export const lastErrno = (): number => koffi.errno();

/** The name of an error number (errno(3)), such as ENOENT. */
export const errnoName = (errno: number): string =>
  Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `error ${errno}`;

/** The name of the last call's error. */
export const lastErrorName = (): string => errnoName(koffi.errno());

/** A failed system call: the step and the error name (errno(3)). Its message is `cannot STEP: CODE`. */
export class SystemCallFailed extends Error {
  readonly step: string;
  readonly code: string;

  constructor(step: string, code: string) {
    super(`cannot ${step}: ${code}`);
    this.step = step;
    this.code = code;
  }
}

/** Returns `result`; throws SystemCallFailed if it is negative. */
export function checked(result: number, step: string): number {
  if (result < 0) throw new SystemCallFailed(step, lastErrorName());
  return result;
}
