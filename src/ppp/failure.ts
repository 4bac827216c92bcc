/** The words of a failed negotiation: its problem, and the remedy in the settings of the engine. `diagnosis` finds it. */
import type { MppeOffer } from './options.js';
import type { PppFailure, Side } from './state.js';

const SIDES: Readonly<Record<Side, string>> = { client: 'the client', server: 'the server' };

/** `128 bit stateless`, `40 or 128 bit stateful`. */
const offerText = ({ keys, stateless }: MppeOffer): string =>
  `${keys.join(' or ')} bit ${stateless ? 'stateless' : 'stateful'}`;

/** Who speaks PPP for the server. */
export type PppEngine = 'pppd' | 'builtin';

/** Where the server's settings are, for remedies. */
export interface SettingPlaces {
  readonly engine: PppEngine;
  /** pppd's options file. */
  readonly optionsFile: string;
  /** Keys of the section `ppp` that are written: pppd is given them after its options file, so that they win. */
  readonly written: ReadonlySet<string>;
  /** The builtin engine's file of users and passwords, `ppp.secrets`. */
  readonly secrets: string;
  /** RADIUS judges the logins of the builtin engine. */
  readonly radius: boolean;
}

/** A setting that a remedy changes: in pppd's options file, or in the section `ppp`. */
interface Setting {
  /** A key of the section `ppp`. */
  readonly key: string;
  readonly inOptions: (file: string) => string;
  readonly inSection: Readonly<Record<PppEngine, string>>;
}

const withBoth = (remedy: string): Setting['inSection'] => ({ pppd: remedy, builtin: remedy });

const SETTINGS = {
  otherLogin: {
    key: 'authentication',
    inOptions: (file) => `require another protocol (require-mschap-v2, require-chap, …) in ${file}`,
    inSection: withBoth('add another protocol to ppp.authentication'),
  },
  loginWithKeys: {
    key: 'authentication',
    inOptions: (file) => `put require-mschap-v2 into ${file}`,
    inSection: withBoth('set ppp.authentication to ["ms-chap-v2"]'),
  },
  noEncryption: {
    key: 'encryption',
    inOptions: (file) => `remove require-mppe-128 from ${file}`,
    inSection: { pppd: 'set ppp.encryption to "none"', builtin: 'set ppp.encryption to "prefer"' },
  },
  encryption: {
    key: 'encryption',
    inOptions: (file) => `put require-mschap-v2 and require-mppe-128 into ${file}; the kernel needs ppp_mppe`,
    inSection: {
      pppd: 'set ppp.encryption to "require"; the kernel needs ppp_mppe',
      builtin: 'set ppp.encryption to "require"',
    },
  },
  longKeys: {
    key: 'encryptionKeys',
    inOptions: (file) => `put require-mppe-128 into ${file}, without nomppe-128`,
    inSection: withBoth('add 128 to ppp.encryptionKeys'),
  },
  statefulKeys: {
    key: 'statefulEncryption',
    inOptions: (file) => `put mppe-stateful into ${file}`,
    inSection: withBoth('set ppp.statefulEncryption to true'),
  },
  statelessKeys: {
    key: 'statefulEncryption',
    inOptions: (file) => `remove the option that requests it from ${file}`,
    inSection: withBoth('set ppp.statefulEncryption to false'),
  },
} as const satisfies Record<string, Setting>;

const isInSection = ({ engine, written }: SettingPlaces, key: string): boolean =>
  engine === 'builtin' || written.has(key);

function change(name: keyof typeof SETTINGS, places: SettingPlaces): string {
  const { key, inOptions, inSection }: Setting = SETTINGS[name];
  return isInSection(places, key) ? inSection[places.engine] : inOptions(places.optionsFile);
}

/** The file with the passwords of a login by `protocol`. */
export const secretsFile = ({ engine, secrets }: SettingPlaces, protocol: string | null): string => {
  if (engine === 'builtin') return `${secrets} (ppp.secrets)`;
  return protocol === 'PAP' ? '/etc/ppp/pap-secrets' : '/etc/ppp/chap-secrets';
};

/** pppd supports 40 and 128 bits, the builtin engine also 56. */
const KEY_LENGTHS: Readonly<Record<PppEngine, readonly number[]>> = { pppd: [128, 40], builtin: [128, 56, 40] };

function modesRemedy(client: MppeOffer, server: MppeOffer, places: SettingPlaces): string {
  if (client.keys.some((key) => server.keys.includes(key)))
    return client.stateless
      ? `allow the stateful mode in the client, or ${change('statelessKeys', places)}`
      : `allow the stateless mode in the client, or ${change('statefulKeys', places)}`;
  const allow = `allow a key of ${server.keys.join(' or ')} bit in the client`;
  const possible = KEY_LENGTHS[places.engine].filter((bits) => client.keys.some((key) => key === bits));
  if (possible.includes(128)) return `${change('longKeys', places)}; or ${allow}`;
  if (possible.length === 0) return allow;
  return isInSection(places, 'encryptionKeys')
    ? `${allow}, or add ${possible.join(' or ')} to ppp.encryptionKeys`
    : `${allow}, or put require-mppe-40 into ${places.optionsFile}, without nomppe-40`;
}

export interface ProblemAndRemedy {
  readonly problem: string;
  /** An imperative; null: src/ppp knows none. */
  readonly remedy: string | null;
}

/** After a login by MS-CHAP, whose keys need more than the login. */
const LACKING: Readonly<Record<PppEngine, ProblemAndRemedy>> = {
  pppd: {
    problem: 'the kernel has no MPPE, or RADIUS sent no keys',
    remedy: 'modprobe ppp_mppe, or have the RADIUS server send MS-MPPE-Send-Key and MS-MPPE-Recv-Key',
  },
  builtin: {
    problem: 'the login provides no key of a length in ppp.encryptionKeys (MS-CHAPv1: only 128 bit)',
    remedy: 'set ppp.authentication to ["ms-chap-v2"], or add 128 to ppp.encryptionKeys',
  },
};

const LACKING_FROM_RADIUS: ProblemAndRemedy = {
  problem: 'the RADIUS server sent no keys, or none of a length in ppp.encryptionKeys',
  remedy: 'have the RADIUS server send MS-MPPE-Send-Key and MS-MPPE-Recv-Key (FreeRADIUS: use_mppe = yes)',
};

/** MPPE's keys come from MS-CHAP (RFC 3079), and from a login in one direction. */
function unavailableText(
  by: Side,
  protocol: string | null,
  bothWays: boolean,
  places: SettingPlaces,
): ProblemAndRemedy {
  if (bothWays) {
    return {
      problem: 'the two sides log in to each other, but only the client may',
      remedy: "turn off the server's login in the client",
    };
  }
  if (protocol === null || !protocol.startsWith('MS-CHAP')) {
    return {
      problem: `the client ${protocol === null ? 'did not log in' : `logged in by ${protocol}`}, but only MS-CHAPv2 provides the keys`,
      remedy: `${change('loginWithKeys', places)}, and allow it in the client`,
    };
  }
  if (by === 'client')
    return {
      problem: 'its kernel has no MPPE, or it has lost the keys of the login',
      remedy: "see the client's own log (Linux: modprobe ppp_mppe)",
    };
  return places.engine === 'builtin' && places.radius ? LACKING_FROM_RADIUS : LACKING[places.engine];
}

/** The server offers no IPv4. */
const WITHOUT_IPV4: Readonly<Record<PppEngine, (file: string) => ProblemAndRemedy>> = {
  pppd: (file) => ({ problem: 'the server offers no IPv4 (IPCP)', remedy: `remove noip from ${file}` }),
  builtin: () => ({
    problem: 'the client hung up before the server could offer IPv4 (IPCP)',
    remedy: "see the client's own log",
  }),
};

const GIVE_ADDRESSES: Readonly<Record<PppEngine, string>> = {
  pppd: 'give pppd an address pair: addresses in the configuration, or Framed-IP-Address from RADIUS',
  builtin: 'give the server an address: addresses.local in the configuration',
};

type Describers = {
  readonly [F in PppFailure as F['reason']]: (failure: F, places: SettingPlaces) => ProblemAndRemedy;
};

const DESCRIBERS: Describers = {
  authenticationFailed: ({ user, protocol, code, cause, message }) => {
    const number = code === null ? '' : ` (E=${code})`;
    const said = message === null ? '' : `; the server said "${message}"`;
    return {
      problem: `${protocol ?? 'login'}: ${cause}${number} for user ${user === null ? 'unknown' : `"${user}"`}${said}`,
      remedy: null,
    };
  },
  loginUnanswered: ({ protocol, challenges }) => ({
    problem:
      (challenges === 0
        ? `the client did not send its name for ${protocol ?? 'the login'}`
        : `the client did not answer ${challenges} ${protocol ?? 'login'} challenge${challenges === 1 ? '' : 's'}`) +
      ': it is waiting for its user to type a password, or it hangs',
    remedy: 'enter the password in the client, or see its log',
  }),
  authProtocolRefused: ({ by, protocol, proposed }, places) => {
    const name = protocol ?? 'the requested protocol';
    if (by === 'server') {
      return {
        problem: `the server refused to log in to the client by ${name}`,
        remedy: "turn off the server's login in the client",
      };
    }
    return {
      problem: `the client refused to log in by ${name}${proposed ? ` and wants ${proposed}` : ''}`,
      remedy: `allow ${name} in the client, or ${change('otherLogin', places)}`,
    };
  },
  serverLoginRefused: ({ protocol }) => ({
    problem: `the client demanded that the server log in (${protocol}), then rejected that login`,
    remedy: "turn off the server's login in the client",
  }),
  negotiationTimeout: ({ protocol, requests }) => ({
    problem:
      `the client did not answer ${requests} ${protocol} Configure-Requests of the server: it hangs or is gone, or frames are ` +
      'lost on the way',
    remedy: null,
  }),
  encryptionRefused: ({ by, asked }, places) => {
    const refused = `${SIDES[by]} refused MPPE encryption${asked ? ` (${offerText(asked)})` : ''}`;
    return by === 'client'
      ? {
          problem: `${refused}, which the server requires`,
          remedy: `allow MPPE in the client, or ${change('noEncryption', places)}`,
        }
      : {
          problem: `${refused}, which the client requires`,
          remedy: change('encryption', places),
        };
  },
  encryptionModesDiffer: ({ client, server }, places) => ({
    problem: `the two sides want different MPPE encryption, the client ${offerText(client)}, the server ${offerText(server)}`,
    remedy: modesRemedy(client, server, places),
  }),
  encryptionUnavailable: ({ by, protocol, bothWays }, places) => {
    const { problem, remedy } = unavailableText(by, protocol, bothWays, places);
    return { problem: `${SIDES[by]} requires MPPE encryption but cannot provide it: ${problem}`, remedy };
  },
  addressNotAllowed: ({ user, protocol, address }, places) => ({
    problem:
      `the server does not allow ${user === null ? 'this user' : `user "${user}"`} ` +
      (address === null ? 'any address in the tunnel' : `the address ${address}`),
    remedy:
      places.engine === 'builtin' && places.radius
        ? 'have the RADIUS server send a Framed-IP-Address that a client can have, or set addresses.delegate to false'
        : `put ${address === null ? 'an address' : 'that address'}, its network or * into the fourth column of the ` +
          `user's line in ${secretsFile(places, protocol)}; a line of three columns allows none`,
  }),
  addressRefused: ({ by, whose, address, proposed, text }, places) => {
    if (whose === 'server') {
      const ours = address === null ? '' : `, ${address}`;
      return {
        problem: `the client refused our address in the tunnel${ours}${proposed ? `, and wants ${proposed}` : ''}`,
        remedy:
          "have the client accept the server's address (Linux: no address after the colon in its pppd options, or " +
          'ipcp-accept-remote)',
      };
    }
    if (whose === 'client') {
      const remedy = 'have the client accept the address that the server assigns';
      if (address === null) return { problem: 'the client requested no address in the tunnel', remedy };
      return {
        problem: `the client insists on the address ${address}${proposed ? `, but the server assigns ${proposed}` : ''}`,
        remedy:
          places.engine === 'builtin' && places.radius
            ? remedy
            : `${remedy}, or assign it that address in the fourth column of ${secretsFile(places, null)}`,
      };
    }
    return {
      problem: `${SIDES[by]} refused the IP addresses in IPCP${text === '' ? '' : `: "${text}"`}`,
      remedy:
        by === 'client' ? 'have the client accept the address that the server assigns' : GIVE_ADDRESSES[places.engine],
    };
  },
  noNetworkProtocol: ({ by }, { engine, optionsFile }) =>
    by === 'client'
      ? {
          problem: 'the client logged in and requested no IPv4 address',
          remedy: 'turn on IPv4 (IPCP) in the client',
        }
      : WITHOUT_IPV4[engine](optionsFile),
  lcpTimeout: ({ lost, clientRequests, serverRequests }) => {
    const cause = {
      fromClient: 'no PPP frame arrived from the client',
      toClient:
        'the client repeats its first request and answers none of ours: GRE (IP protocol 47) is blocked from the server to the client',
      unknown: 'LCP was never agreed: frames are lost on the way, or one side hangs',
    }[lost ?? 'unknown'];
    return {
      problem: `${cause} (LCP Configure-Requests sent: client ${clientRequests}, server ${serverRequests})`,
      remedy: null,
    };
  },
  terminated: ({ by, text, windowsError }) => {
    const error = windowsError === null ? '' : ` (Windows error ${windowsError})`;
    return {
      problem: `${SIDES[by]} ended the link before it was up: ${text === '' ? 'it gave no reason' : `"${text}"`}${error}`,
      remedy: null,
    };
  },
};

/** The failure in words. A failure that an older worker reports lacks newer fields: they are undefined. */
export function problemAndRemedy(failure: PppFailure, places: SettingPlaces): ProblemAndRemedy {
  // What another process says may have any text as its reason.
  if (!Object.hasOwn(DESCRIBERS, failure.reason)) throw new RangeError(`unknown reason ${failure.reason}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key picks the describer of this very type
  return (DESCRIBERS[failure.reason] as (failure: PppFailure, places: SettingPlaces) => ProblemAndRemedy)(
    failure,
    places,
  );
}

/** The same as one sentence: `PROBLEM; remedy: REMEDY`. */
export function describeFailure(failure: PppFailure, places: SettingPlaces): string {
  const { problem, remedy } = problemAndRemedy(failure, places);
  return remedy === null ? problem : `${problem}; remedy: ${remedy}`;
}
