/** What `pptpd-ts status` says about the section `network`: the monitor knows. */
import type { MonitorRegistrar } from '../monitor/monitor-registrar.js';
import type { ManagerStatus } from '../session/manager-status.js';
import { messageOf } from '../sys/thrown.js';

/** How long `status` waits for the monitor, which runs nft, ms. */
const PATIENCE_MS = 2000;

/** Never rejects. */
export async function networkStatus(
  registrar: Pick<MonitorRegistrar, 'networkReport'>,
): Promise<ManagerStatus['network']> {
  try {
    return await registrar.networkReport(PATIENCE_MS);
  } catch (error) {
    return { state: 'unknown', why: messageOf(error) };
  }
}
