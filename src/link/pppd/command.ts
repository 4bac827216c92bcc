/**
 * Builds pppd's command line as pptpd does. The program that `pppd.path` names receives these arguments and speaks HDLC
 * on its standard input.
 */
import { pppdArgumentsOf } from '../../config/ppp-settings.js';
import type { Configuration } from '../../config/schema.js';
import { optionsArguments } from '../../accounts/pppd-options-file.js';
import type { LinkOptions } from '../link.js';

/**
 * `local file OPTIONS PPP SPEED LOCAL:REMOTE ipparam PEER remotenumber PEER`, then `nodetach`, which keeps pppd a child
 * process, then the administrator's own arguments, which override the earlier ones.
 */
export function pppdArguments(
  { ppp, pppd }: Pick<Configuration, 'ppp' | 'pppd'>,
  { local, remote }: LinkOptions['tunnel'],
  peerAddress: string,
): string[] {
  return [
    'local',
    ...optionsArguments(pppd.options),
    ...pppdArgumentsOf(ppp),
    String(pppd.speed),
    ...(local === null && remote === null ? [] : [`${local ?? ''}:${remote ?? ''}`]),
    ...(pppd.ipparam ? ['ipparam', peerAddress] : []),
    'remotenumber',
    peerAddress,
    'nodetach',
    ...pppd.args,
  ];
}
