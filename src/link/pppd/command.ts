/**
 * The command line of pppd, as pptpd gives it: whatever `pppd.path` names gets these arguments and speaks HDLC on its
 * standard input.
 */
import type { Configuration } from '../../config/schema.js';
import { optionsArguments } from '../../host/pppd-options.js';
import type { LinkOptions } from '../link.js';

/**
 * `local file OPTIONS SPEED LOCAL:REMOTE ipparam PEER remotenumber PEER`, then what a modern pppd needs to be
 * somebody's child, then the administrator's own arguments, so that these win.
 */
export function pppdArguments(
  pppd: Configuration['pppd'],
  { local, remote }: LinkOptions['tunnel'],
  peerAddress: string,
): string[] {
  return [
    'local',
    ...optionsArguments(pppd.options),
    String(pppd.speed),
    ...(local === null && remote === null ? [] : [`${local ?? ''}:${remote ?? ''}`]),
    ...(pppd.ipparam ? ['ipparam', peerAddress] : []),
    'remotenumber',
    peerAddress,
    'nodetach',
    ...pppd.args,
  ];
}
