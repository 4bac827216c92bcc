/** The options --user, --client and --address, which select sessions. */
import type { BlockList } from 'node:net';
import { type Command, InvalidArgumentError } from 'commander';
import { addressesIn } from '../admin/selection.js';
import { addConfigurationArgument } from './configuration.js';

/** For commands whose only argument is the configuration file. */
export const addSelectionOptions = (command: Command): Command =>
  addConfigurationArgument(command, 'to select sessions, use --user, --client or --address')
    .option('--user <name>', 'only sessions of this user')
    .option('--client <address>', 'only clients with this address, or in this network (192.0.2.0/24)', parseAddresses)
    .option('--address <address>', 'only clients with this tunnel address, or one in this network', parseAddresses);

/** Throws InvalidArgumentError. */
export function parseAddresses(text: string): BlockList {
  const list = addressesIn(text);
  if (list === null) throw new InvalidArgumentError('not an IPv4 address or network: write 192.0.2.7 or 192.0.2.0/24');
  return list;
}
