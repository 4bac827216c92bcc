/** Which sessions an administrator means by user, client address and tunnel address. Pure. */
import { BlockList, isIPv4 } from 'node:net';
import type { SessionState } from '../session/state.js';

/** What is left out selects every session. */
export interface Selection {
  readonly user?: string;
  /** The client's own address, and its address in the tunnel. */
  readonly client?: BlockList;
  readonly address?: BlockList;
}

/** The properties that a selection is compared with. */
interface Selected {
  readonly user: string | null;
  readonly client: string;
  readonly address: string | null;
}

export const isSelected = ({ user, client, address }: Selection, session: Selected): boolean =>
  (user === undefined || session.user === user) &&
  (client === undefined || client.check(session.client)) &&
  (address === undefined || (session.address !== null && address.check(session.address)));

/** The live sessions that are selected, in the order given. */
export const selected = (selection: Selection, sessions: readonly SessionState[]): SessionState[] =>
  sessions.filter(({ user, peer, tunnel }) =>
    isSelected(selection, { user, client: peer.address, address: tunnel.remote }),
  );

/** An IPv4 address (`192.0.2.7`) or network (`192.0.2.0/24`); null: it is neither. */
export function addressesIn(text: string): BlockList | null {
  const [address = '', bits = '32', ...rest] = text.split('/');
  if (!isIPv4(address) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32 || rest.length > 0) return null;
  const list = new BlockList();
  list.addSubnet(address, Number(bits));
  return list;
}
