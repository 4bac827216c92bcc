/** Where the users of a configuration are: in the accounts file, or with pppd in its chap-secrets. */
import { valueOf } from '../accounts/pppd-option-table.js';
import { pppSettings } from '../config/ppp-settings.js';
import type { Configuration } from '../config/schema.js';
import { effectiveOptions, serverName } from '../doctor/effective-options.js';
import { thisMachine } from '../doctor/machine.js';
import { chooseEngine } from '../host/ppp-engine.js';
import type { UserPlace } from '../users/open-user-store.js';

const CHAP_SECRETS = '/etc/ppp/chap-secrets';

export function userPlaceOf(configuration: Configuration): UserPlace {
  const { engine } = chooseEngine(configuration);
  const { secrets, name } = pppSettings(configuration.ppp);
  if (engine === 'builtin') return { kind: 'accounts', file: configuration.accounts.file, secrets, server: name };
  const options = effectiveOptions({ ...configuration, ppp: { ...configuration.ppp, engine } }, thisMachine);
  return {
    kind: 'secrets',
    file: valueOf(options, 'chap-secrets') ?? CHAP_SECRETS,
    server: serverName(options, thisMachine),
  };
}
