/** An account's quota as text, and the quota of the account that a session has logged in with. */
import { pppSettings } from '../config/ppp-settings.js';
import { loadConfiguration } from '../config/load.js';
import { localTime, octets } from './units.js';
import { AccountsStore } from '../users/accounts-store.js';
import type { ShownQuota } from '../users/user-store.js';

export function quotaText(quota: ShownQuota | null): string | null {
  if (quota === null) return null;
  const { used, left, per, beginsAnew } = quota;
  const end = beginsAnew === null ? '' : `; begins anew ${localTime(Date.parse(beginsAnew))}`;
  const period = per === 'total' ? 'in total' : `per ${per}`;
  return `${octets(quota.octets)} ${period}: ${octets(used)} used, ${octets(left)} left${end}`;
}

/**
 * `account`: its name in the accounts file; null: the session has none. The result is null also if the configuration or the
 * files of the accounts cannot be read, which other commands report: only root may read them.
 */
export async function quotaOf(account: string | null, configurationFile: string): Promise<ShownQuota | null> {
  const loaded = account === null ? null : loadConfiguration(configurationFile);
  if (loaded === null || !loaded.ok) return null;
  const { accounts, ppp } = loaded.configuration;
  const { secrets, name: server } = pppSettings(ppp);
  try {
    const users = await new AccountsStore({ file: accounts.file, secrets, server }).list();
    return users.find(({ name }) => name === account)?.quota ?? null;
  } catch {
    return null;
  }
}
