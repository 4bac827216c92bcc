/** Which PPP engine serves on this machine (`ppp.engine`): pppd where it works, otherwise the builtin one. */
import { closeSync, constants, openSync, statSync } from 'node:fs';

export interface EngineChoice {
  readonly engine: 'pppd' | 'builtin';
  /** Why, as the end of a sentence: `ppp.engine`, or what was found. */
  readonly because: string;
}

/** Environment variable with the engine that root has chosen, from manager/prepare to the manager. */
export const ENGINE_VARIABLE = 'PPTPD_TS_ENGINE';

/** pppd's usual place. A configuration that names another program has chosen that program. */
export const USUAL_PPPD = '/usr/sbin/pppd';

/** null when the device opens, otherwise the error name of errno(3). Opening it makes the kernel load the module. */
function openFailure(device: string): string | null {
  try {
    closeSync(openSync(device, constants.O_RDWR));
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error';
  }
}

/** Executable by somebody: pppd belongs to a group that the server's user need not be in. */
const isExecutable = (path: string): boolean => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o111) !== 0;

/**
 * `openDevice` and `canExecute` are this machine's, or a test's. A device that only root may open (EACCES) counts as
 * there, since pppd is set-uid root.
 */
export function chooseEngine(
  {
    ppp,
    pppd,
  }: { readonly ppp: { readonly engine: 'auto' | 'pppd' | 'builtin' }; readonly pppd: { readonly path: string } },
  openDevice: (device: string) => string | null = openFailure,
  canExecute: (path: string) => boolean = isExecutable,
): EngineChoice {
  if (ppp.engine !== 'auto') return { engine: ppp.engine, because: 'ppp.engine says so' };
  if (pppd.path !== USUAL_PPPD) return { engine: 'pppd', because: `pppd.path names ${pppd.path}` };
  if (!canExecute(pppd.path)) return { engine: 'builtin', because: `${pppd.path} is not installed` };
  const failure = openDevice('/dev/ppp');
  if (failure !== null && failure !== 'EACCES')
    return { engine: 'builtin', because: `the kernel's PPP cannot be used here (/dev/ppp: ${failure})` };
  return { engine: 'pppd', because: `${pppd.path} is installed and the kernel has PPP` };
}

/** One line for the log and for `pptpd-ts status`. */
export const describeEngine = ({ engine, because }: EngineChoice): string =>
  engine === 'pppd' ? `PPP by pppd: ${because}` : `PPP by the builtin engine with TUN devices: ${because}`;
