/** IPCP's options as a server treats them (RFC 1332 §3, RFC 1877 §1): what is not here, header compression say, is rejected. */
import type { IPCP_OPTIONS } from '../options.js';
import type { Rule, Rules } from './option-exchange.js';

/** An address option that asks the peer for an address (RFC 1332 §3.3). */
const UNSPECIFIED = '0.0.0.0';

export interface IpcpTerms {
  readonly local: () => string;
  /** null: the client has to choose one of its own. */
  readonly remote: () => string | null;
  /** Networks as `192.0.2.0/24` out of which the client may take an address of its own. */
  readonly remoteChoices: () => readonly string[];
  readonly dns: readonly string[];
  readonly wins: readonly string[];
}

export function ipcpRules({ local, remote, remoteChoices, dns, wins }: IpcpTerms): Rules<typeof IPCP_OPTIONS> {
  return {
    address: {
      ask: local,
      answer: (value) => {
        const given = remote();
        const isChosen = value !== UNSPECIFIED && remoteChoices().some((network) => isWithin(value, network));
        if (value === given || isChosen) return 'ack';
        return given === null ? 'reject' : { nak: given };
      },
      propose: remote,
      // The server's address is not the client's to choose.
      nakked: (_proposed, asked) => asked,
    },
    primaryDns: given(dns[0]),
    primaryWins: given(wins[0]),
    secondaryDns: given(dns[1] ?? dns[0]),
    secondaryWins: given(wins[1] ?? wins[0]),
  };
}

/** An address that the client may have from us; undefined: we have none, so that it is rejected. */
const given = (address: string | undefined): Rule<string> =>
  address === undefined ? {} : { answer: (value) => (value === address ? 'ack' : { nak: address }) };

/** Whether a dotted quad lies in a network `address/prefix`; without a prefix it is the address itself. */
export function isWithin(address: string, network: string): boolean {
  const [base = '', prefix = '32'] = network.split('/');
  const host = 32 - Number(prefix);
  // A shift by 32 is none in JavaScript.
  return host === 32 || numberOf(address) >>> host === numberOf(base) >>> host;
}

const numberOf = (address: string): number =>
  address.split('.').reduce((number, part) => ((number << 8) | Number(part)) >>> 0, 0);
