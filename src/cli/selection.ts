/** The options --user, --client and --address, and the sessions that they select. */
import { BlockList, isIPv4 } from 'node:net';
import { type Command, InvalidArgumentError } from 'commander';
import { addConfigurationArgument } from './configuration.js';
import type { SessionState } from '../session/state.js';

/** An option that is not given selects every session. */
export interface Selection {
  readonly user?: string;
  /** The client's own address, and its address in the tunnel. */
  readonly client?: BlockList;
  readonly address?: BlockList;
}

/** The properties that the options are compared with. */
interface Selected {
  readonly user: string | null;
  readonly client: string;
  readonly address: string | null;
}

/** For commands whose only argument is the configuration file. */
export const addSelectionOptions = (command: Command): Command =>
  addConfigurationArgument(command, 'to select sessions, use --user, --client or --address')
    .option('--user <name>', 'only sessions of this user')
    .option('--client <address>', 'only clients with this address, or in this network (192.0.2.0/24)', parseAddresses)
    .option('--address <address>', 'only clients with this tunnel address, or one in this network', parseAddresses);

export const isSelected = ({ user, client, address }: Selection, session: Selected): boolean =>
  (user === undefined || session.user === user) &&
  (client === undefined || client.check(session.client)) &&
  (address === undefined || (session.address !== null && address.check(session.address)));

/** The live sessions that are selected, in the order given. */
export const selected = (selection: Selection, sessions: readonly SessionState[]): SessionState[] =>
  sessions.filter(({ user, peer, tunnel }) =>
    isSelected(selection, { user, client: peer.address, address: tunnel.remote }),
  );

/** Parses an IPv4 address or network as an option's value; throws InvalidArgumentError for anything else. */
export function parseAddresses(text: string): BlockList {
  const [address = '', bits = '32', ...rest] = text.split('/');
  if (!isIPv4(address) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32 || rest.length > 0) {
    throw new InvalidArgumentError('not an IPv4 address or network: write 192.0.2.7 or 192.0.2.0/24');
  }
  const list = new BlockList();
  list.addSubnet(address, Number(bits));
  return list;
}
