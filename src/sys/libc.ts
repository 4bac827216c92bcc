/**
 * libc, loaded once (koffi; a call costs some 300 ns), and what its errors mean. Each file of this folder declares the
 * functions that it calls.
 */
import { constants } from 'node:os';
import koffi from 'koffi';

export const libc = koffi.load(null);

/** The error number of the call just made, which returned -1. */
export const lastErrno = (): number => koffi.errno();

/** The name of an error number, as errno(3) lists it. */
export const errnoName = (errno: number): string =>
  Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `error ${errno}`;

/** The name of the error of the call just made. */
export const lastErrorName = (): string => errnoName(koffi.errno());

/** A system call failed: at which step, and with which error (errno(3)). Its message is `cannot STEP: CODE`. */
export class SystemCallFailed extends Error {
  readonly step: string;
  readonly code: string;

  constructor(step: string, code: string) {
    super(`cannot ${step}: ${code}`);
    this.step = step;
    this.code = code;
  }
}

/** Returns `result`; throws SystemCallFailed when it says that the call just made has failed. */
export function checked(result: number, step: string): number {
  if (result < 0) throw new SystemCallFailed(step, lastErrorName());
  return result;
}
