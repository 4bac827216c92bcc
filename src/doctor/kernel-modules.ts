/** Whether the kernel has a module. */
import type { Machine } from './machine.js';

/**
 * Whether the module is built in or can be loaded; null if unknown, as in a container without the host's /lib/modules,
 * where the kernel itself can still load it.
 */
export async function canLoad(module: string, machine: Machine): Promise<boolean | null> {
  const release = machine.read('/proc/sys/kernel/osrelease')?.trim() ?? '';
  if (machine.mode(`/lib/modules/${release}`) === null) return null;
  const { code } = await machine.run('modprobe', ['--dry-run', '--quiet', module]);
  return code === null ? null : code === 0;
}
