/**
 * Which PPP engine serves on this machine (`ppp.engine`): pppd where it works, otherwise the builtin one; and how the builtin
 * one's packets travel (`ppp.dataPath`): through the kernel's PPTP driver where it is there, otherwise through a TUN device.
 */
import { statSync } from 'node:fs';
import { openFailure } from './device.js';
import { type KernelPathModule, missingModule } from './kernel-path.js';

export type DataPathKind = 'tun' | 'kernel';
/** Who speaks PPP, and how packets travel. */
export type LinkKind = 'pppd' | DataPathKind;

/** `because`: why, as the end of a sentence. */
export type EngineChoice =
  | { readonly engine: 'pppd'; readonly because: string }
  | {
      readonly engine: 'builtin';
      readonly because: string;
      readonly dataPath: { readonly kind: DataPathKind; readonly because: string };
    };

/** Environment variable with the kind of link that root has chosen, from manager/prepare to the manager. */
export const ENGINE_VARIABLE = 'PPTPD_TS_ENGINE';

/** pppd's usual place. A configuration that names another program has chosen that program. */
export const USUAL_PPPD = '/usr/sbin/pppd';

export const linkKindOf = (choice: EngineChoice): LinkKind =>
  choice.engine === 'pppd' ? 'pppd' : choice.dataPath.kind;

/** Executable by somebody: pppd belongs to a group that the server's user need not be in. */
const isExecutable = (path: string): boolean => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o111) !== 0;

/** The keys that decide. */
export interface EngineSettings {
  readonly ppp: {
    readonly engine: 'auto' | LinkEngine;
    readonly dataPath: 'auto' | DataPathKind;
    readonly encryption?: string | undefined;
    readonly encryptionKeys?: readonly number[] | undefined;
  };
  readonly pppd: { readonly path: string };
  readonly gre: { readonly window: 'advise' | 'enforce' };
}
type LinkEngine = EngineChoice['engine'];

/**
 * This machine's, or a test's. A device that only root may open (EACCES) counts as there, since pppd is set-uid root, and the
 * monitor is root.
 */
export interface EngineMachine {
  readonly openDevice: (device: string) => string | null;
  readonly canExecute: (path: string) => boolean;
  readonly missingModule: () => KernelPathModule | null;
}

const THIS_MACHINE: EngineMachine = { openDevice: openFailure, canExecute: isExecutable, missingModule };

export function chooseEngine(settings: EngineSettings, machine: EngineMachine = THIS_MACHINE): EngineChoice {
  const { engine, because } = chooseSpeaker(settings, machine);
  return engine === 'pppd' ? { engine, because } : { engine, because, dataPath: chooseDataPath(settings, machine) };
}

/** The engine alone. */
export function chooseSpeaker(
  { ppp, pppd }: { readonly ppp: Pick<EngineSettings['ppp'], 'engine'>; readonly pppd: EngineSettings['pppd'] },
  { openDevice, canExecute }: EngineMachine = THIS_MACHINE,
): { readonly engine: LinkEngine; readonly because: string } {
  if (ppp.engine !== 'auto') return { engine: ppp.engine, because: 'ppp.engine says so' };
  if (pppd.path !== USUAL_PPPD) return { engine: 'pppd', because: `pppd.path names ${pppd.path}` };
  if (!canExecute(pppd.path)) return { engine: 'builtin', because: `${pppd.path} is not installed` };
  const failure = openDevice('/dev/ppp');
  if (failure !== null && failure !== 'EACCES')
    return { engine: 'builtin', because: `the kernel's PPP cannot be used here (/dev/ppp: ${failure})` };
  return { engine: 'pppd', because: `${pppd.path} is installed and the kernel has PPP` };
}

type DataPathChoice = Extract<EngineChoice, { engine: 'builtin' }>['dataPath'];

function chooseDataPath(settings: EngineSettings, machine: EngineMachine): DataPathChoice {
  const { dataPath } = settings.ppp;
  if (dataPath !== 'auto') return { kind: dataPath, because: 'ppp.dataPath says so' };
  const obstacle = kernelPathObstacle(settings, machine);
  return obstacle === null
    ? { kind: 'kernel', because: "the kernel's PPTP driver is there" }
    : { kind: 'tun', because: obstacle.because };
}

/** Why the kernel cannot carry packets, as the end of a sentence, and what to do, an imperative. */
export interface KernelPathObstacle {
  readonly because: string;
  readonly remedy: string;
}

/** null: the kernel can carry packets as the configuration wants it. */
export function kernelPathObstacle(
  { ppp, gre }: EngineSettings,
  machine: EngineMachine = THIS_MACHINE,
): KernelPathObstacle | null {
  if (gre.window === 'enforce')
    return { because: 'gre.window is "enforce", which the kernel does not do', remedy: 'set gre.window to "advise"' };
  if (ppp.encryption !== 'none' && ppp.encryptionKeys?.every((bits) => bits === 56) === true) {
    const because = 'ppp.encryptionKeys has 56 bits alone, which the kernel does not have';
    return { because, remedy: 'add 128 to ppp.encryptionKeys' };
  }
  const module = machine.missingModule();
  if (module !== null)
    return {
      because: `the kernel has no module ${module}`,
      remedy: `modprobe ${module}; a container needs a host that has loaded it`,
    };
  const failure = machine.openDevice('/dev/ppp');
  if (failure === null || failure === 'EACCES') return null;
  return {
    because: `/dev/ppp cannot be opened (${failure})`,
    remedy: 'mknod -m 600 /dev/ppp c 108 0; start a container with --device /dev/ppp --cap-add NET_ADMIN',
  };
}

const PATHS: Readonly<Record<DataPathKind, string>> = {
  tun: 'through TUN devices',
  kernel: "through the kernel's PPTP driver",
};

/** One line for the log and for `pptpd-ts status`. */
export const describeEngine = (choice: EngineChoice): string =>
  choice.engine === 'pppd'
    ? `PPP by pppd: ${choice.because}`
    : `PPP by the builtin engine: ${choice.because}; packets ${PATHS[choice.dataPath.kind]}: ${choice.dataPath.because}`;
