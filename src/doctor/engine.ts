/** The PPP engine and the data path that the checks are for. */
import type { Configuration } from '../config/schema.js';
import { KERNEL_PATH_MODULES, type KernelPathModule } from '../host/kernel-path.js';
import {
  chooseEngine,
  type EngineChoice,
  type EngineMachine,
  type KernelPathObstacle,
  kernelPathObstacle,
} from '../host/ppp-engine.js';
import { canLoad } from './kernel-modules.js';
import type { Machine } from './machine.js';

/** Root loads a module to see whether it can be loaded: the file may be there, and the kernel refuse it. */
async function isThere(module: KernelPathModule, machine: Machine): Promise<boolean> {
  if (machine.mode(`/sys/module/${module}`) !== null) return true;
  if (!machine.isRoot) return (await canLoad(module, machine)) === true;
  return (await machine.run('modprobe', ['--quiet', module])).code === 0;
}

async function firstMissing(machine: Machine): Promise<KernelPathModule | null> {
  for (const module of KERNEL_PATH_MODULES) if (!(await isThere(module, machine))) return module;
  return null;
}

/** pppd belongs to a group that the server's user need not be in. */
async function seenBy(machine: Machine): Promise<EngineMachine> {
  const missing = await firstMissing(machine);
  return {
    openDevice: (device) => machine.openDevice(device),
    canExecute: (path) => ((machine.mode(path) ?? 0) & 0o111) !== 0,
    missingModule: () => missing,
  };
}

/** As `serve` chooses it on that machine. */
export const engineOf = async (configuration: Configuration, machine: Machine): Promise<EngineChoice> =>
  chooseEngine(configuration, await seenBy(machine));

/** null: the kernel of that machine can carry packets. */
export const obstacleOf = async (configuration: Configuration, machine: Machine): Promise<KernelPathObstacle | null> =>
  kernelPathObstacle(configuration, await seenBy(machine));

/** The same configuration without `auto`. The checks get it so. */
export const withEngine = (configuration: Configuration, choice: EngineChoice): Configuration => ({
  ...configuration,
  ppp: {
    ...configuration.ppp,
    engine: choice.engine,
    ...(choice.engine === 'builtin' ? { dataPath: choice.dataPath.kind } : {}),
  },
});
