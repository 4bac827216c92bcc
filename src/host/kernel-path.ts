/** What the kernel's data path needs (`ppp.dataPath`): the modules of its PPTP driver, and /dev/ppp. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { PROGRAM_PATH } from './program-path.js';

export const KERNEL_PATH_MODULES = ['ppp_generic', 'pppox', 'pptp', 'ppp_mppe'] as const;
export type KernelPathModule = (typeof KERNEL_PATH_MODULES)[number];

/** In the kernel, or loaded now, which only root can do. */
function isLoaded(module: KernelPathModule): boolean {
  if (existsSync(`/sys/module/${module}`)) return true;
  const env = { ...process.env, PATH: PROGRAM_PATH };
  return spawnSync('modprobe', ['--quiet', module], { env, stdio: 'ignore' }).status === 0;
}

/** The first module that is missing and cannot be loaded; null: all are there. `hasModule` is this machine's, or a test's. */
export const missingModule = (hasModule: (module: KernelPathModule) => boolean = isLoaded): KernelPathModule | null =>
  KERNEL_PATH_MODULES.find((module) => !hasModule(module)) ?? null;
