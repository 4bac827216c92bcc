/**
 * Finds errors in a secrets file of pppd, line by line: what pppd reads differently than intended, and users who cannot log
 * in. Findings never contain a secret, only its line. Pure.
 */
import { addressNumber, addressText } from '../config/addresses.js';
import { bytesOf, textOf, wordsOf, type Oddity, type Word } from '../accounts/pppd-words.js';
import {
  addressGiven,
  allowsAny,
  type Entry,
  entriesOf,
  entryFor,
  fileOf,
  fixedAddress,
  isOf,
  isWild,
  type Rule,
  rulesOf,
  visible,
} from '../accounts/chap-secrets.js';

/** A secrets file, and what its lines are compared with. */
export interface SecretsFile {
  readonly path: string;
  readonly text: string;
  readonly kind: 'chap' | 'pap';
  /** pppd decides at its start by one line whether anybody can log in; the builtin engine judges each login by itself. */
  readonly engine: 'pppd' | 'builtin';
  /** The server's name. */
  readonly server: string;
  /** The addresses of the pool; null if the accounts choose them (addresses.delegate). */
  readonly pool: readonly number[] | null;
  /** The server's tunnel addresses. */
  readonly local: readonly number[];
  /** PAP uses the passwords of the system (pppd's option `login`). */
  readonly hasLogin: boolean;
  /** Text of a file that contains a secret; null if there is none. */
  readonly readSecret: (path: string) => string | null;
}

export interface Finding {
  readonly cause: SecretCause;
  /** In the file, from 1. */
  readonly line: number;
  readonly problem: string;
  readonly remedy: string;
}

export interface SecretsReport {
  /** Number of lines of this server that pppd does not ignore. */
  readonly entries: number;
  /** Number of those by which a user can log in. */
  readonly users: number;
  /** Number of lines of other servers. Their names are not reported: if a column is missing they are passwords. */
  readonly otherEntries: number;
  /** Users whose fixed address is also in the pool. */
  readonly fixedInPool: readonly { readonly user: string; readonly address: string }[];
  readonly findings: readonly Finding[];
}

export function examine(file: SecretsFile): SecretsReport {
  const entries = entriesOf(file.text);
  const view = new View(file, entries);
  const ours = entries.filter((entry) => view.isOurs(entry));
  const findings = entries.flatMap((entry) => view.findingOf(entry) ?? []);
  return {
    entries: ours.length,
    users: view.keepsEverybodyOut ? 0 : ours.filter((entry) => view.canLogIn(entry)).length,
    otherEntries: entries.filter((entry) => entry.secret !== null && !view.isOurs(entry)).length,
    fixedInPool: ours.flatMap((entry) => {
      const address = view.fixed(entry);
      if (address === null || file.pool?.includes(address) !== true) return [];
      return { user: shown(entry.client), address: addressText(address) };
    }),
    findings,
  };
}

/** A name for messages; control characters appear as pppd prints them. */
const shown = ({ bytes }: Word): string =>
  // oxlint-disable-next-line no-control-regex -- these are meant
  textOf(bytes).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) => visible(character));

const has = (oddity: Oddity, ...words: readonly (Word | null)[]): boolean =>
  words.some((word) => word?.oddities.has(oddity) === true);

/** Whether the word is valid in the list of addresses. */
const isAddress = (word: Word): boolean => rulesOf([word]).every((rule) => 'base' in rule);

const isAscii = (bytes: string): boolean => !/[\u0080-\u00ff]/.test(bytes);

/** Spaces that pppd does not take for spaces. */
const OTHER_SPACE = /[\u00a0\u2000-\u200b\u202f\u3000]/;
const BYTE_ORDER_MARK = bytesOf('\ufeff');
const TYPOGRAPHIC_QUOTE = /^[“”„‟«»‘’‚‹›]/;
/** Bytes that pppd keeps of names and secrets. */
const MAX_NAME = 255;

class View {
  readonly file: SecretsFile;
  /** The entry by which pppd decides at its start whether anybody can log in; null with the builtin engine. */
  readonly #first: Entry | null;
  /** Entries by client name, in the file's order; entries for any client are in every list. */
  readonly #byClient = new Map<string, Entry[]>();
  /** The first entry for each fixed address. */
  readonly #holders = new Map<number, Entry>();

  constructor(file: SecretsFile, entries: readonly Entry[]) {
    this.file = file;
    this.#first = file.engine === 'pppd' ? entryFor(entries, null, file.server) : null;
    for (const { client } of entries) this.#byClient.set(client.bytes, []);
    for (const entry of entries) {
      for (const name of isWild(entry.client) ? this.#byClient.keys() : [entry.client.bytes]) {
        this.#byClient.get(name)?.push(entry);
      }
      const address = this.isOurs(entry) ? this.fixed(entry) : null;
      if (address !== null && !this.#holders.has(address)) this.#holders.set(address, entry);
    }
  }

  findingOf(entry: Entry): Finding | null {
    // A byte order mark before a comment or an empty line does no harm.
    if (entry.client.bytes === BYTE_ORDER_MARK && entry.server === null) return null;
    for (const [cause, judge] of Object.entries(JUDGES) as [SecretCause, Judge][]) {
      const said = judge(entry, this);
      if (said !== null) return { cause, line: entry.client.line, problem: said[0], remedy: said[1] };
    }
    return null;
  }

  isOurs(entry: Entry): entry is UserEntry {
    return entry.secret !== null && isOf(entry, this.file.server);
  }

  get keepsEverybodyOut(): boolean {
    return this.#first !== null && !allowsAny(this.#first.addresses);
  }

  isFirst(entry: Entry): boolean {
    return entry === this.#first;
  }

  /** The entry that pppd uses for this entry's client. */
  entryFor({ client }: Entry): Entry | null {
    const candidates = this.#byClient.get(client.bytes) ?? [];
    return entryFor(candidates, textOf(client.bytes), this.file.server, (path) => this.hasSecret(path));
  }

  hasSecret(path: string): boolean {
    return wordsOf(this.file.readSecret(path) ?? '').length > 0;
  }

  canLogIn(entry: Entry): boolean {
    const { client, addresses } = entry;
    const isKnown = isWild(client) || (client.bytes === visible(client.bytes) && this.entryFor(entry) === entry);
    return isKnown && this.leases.some((lease) => addressGiven(rulesOf(addresses), lease) !== null);
  }

  get leases(): readonly (number | null)[] {
    return this.file.pool ?? [null];
  }

  /** The address that the client gets whatever its lease; null if it depends on the lease. */
  fixed({ addresses }: Entry): number | null {
    const rules = rulesOf(addresses);
    const isSingle = rules.every((rule) => 'base' in rule && (rule.mask === 0xff_ff_ff_ff || !rule.permits));
    return isSingle ? fixedAddress(rules) : null;
  }

  /** An earlier entry with the same fixed address, of another client. */
  sharesAddress(entry: Entry): Entry | null {
    const address = this.fixed(entry);
    const holder = address === null ? undefined : this.#holders.get(address);
    return holder === undefined || holder.client.bytes === entry.client.bytes ? null : holder;
  }
}

/** Problem and remedy; null if the line is correct. */
type Judge = (entry: Entry, view: View) => readonly [problem: string, remedy: string] | null;

type UserEntry = Entry & { readonly server: Word; readonly secret: Word };

/** A judge for lines of this server's users only. */
const ofUsers =
  (judge: (entry: UserEntry, view: View) => ReturnType<Judge>): Judge =>
  (entry, view) =>
    view.isOurs(entry) ? judge(entry, view) : null;

const name = (entry: Entry): string => `"${shown(entry.client)}"`;

/** A complete address, which may be shown. A shorter number may be a part of a password. */
const WHOLE_ADDRESS = /^!?\d+\.\d+\.\d+\.\d+(?:\/[\d+]+)?$/;

const addressesOf = (entry: Entry): string =>
  entry.addresses.map(({ bytes }) => (WHOLE_ADDRESS.test(bytes) ? bytes : '…')).join(' ');

/** What is wrong with a word of the list of addresses; null if it is correct. */
function whatIsOdd(rule: Rule): string | null {
  if ('invalid' in rule) return 'is not an IP address, and the server ignores it';
  if ('word' in rule) {
    return rule.word.bytes.endsWith('+') ? null : 'is not an IP address: the server looks for a host of that name';
  }
  if (addressNumber(rule.host) !== null) return null;
  return WHOLE_ADDRESS.test(rule.host)
    ? `has a number that begins with 0, which is octal: the server reads ${addressText(rule.base)}`
    : 'is not an IP address of four numbers';
}

/** In order of priority: only the first finding of a line is reported. */
const JUDGES = {
  openQuote: ({ client, server, secret, addresses }) => {
    const word = [client, server, secret, ...addresses].find((each) => each !== null && has('manyLines', each));
    if (word == null) return null;
    return [
      `a quote that begins in line ${word.line} ends in line ${word.lastLine}: the server reads everything between as one word`,
      "end it in its line; a quote or an apostrophe that is part of a word needs a backslash before it (o\\'brien)",
    ];
  },

  joinedLine: ({ client, server, secret, addresses }) => {
    const isTorn = has('joined', client, server, secret, ...addresses);
    const last = addresses.at(-1)?.lastLine ?? client.line;
    const isSwallowed = last > client.line && addresses.some((word) => !isAddress(word));
    if (!isTorn && !isSwallowed) return null;
    return [
      `${has('joined', client) ? '' : `"${shown(client)}": `}a backslash at the end of the line joins the next line to it: the server reads both as one`,
      'remove the backslash, or write \\\\ if it is part of the password',
    ];
  },

  byteOrderMark: ({ client, server }) =>
    client.line > 1 || server === null || !client.bytes.startsWith(BYTE_ORDER_MARK)
      ? null
      : [
          'the file begins with a byte order mark, which the server reads as part of the first name: that user cannot log in',
          'save it as UTF-8 without a byte order mark',
        ],

  otherSpace: ({ client, server, secret, addresses }) =>
    [client, server, secret, ...addresses].some((word) => word !== null && OTHER_SPACE.test(textOf(word.raw)))
      ? ['it has a no-break space, which does not separate words for the server', 'write an ordinary space']
      : null,

  hash: ({ client, server, secret, addresses }) =>
    has('hash', client, server, secret) || (secret === null && has('comment', client, server, ...addresses))
      ? [
          `"${shown(client)}": the server reads everything after an unquoted # as a comment`,
          'write a password with # in double quotes: "pass#word"',
        ]
      : null,

  notAComment: ({ client }) =>
    /^(?:;|\/\/)/.test(client.raw)
      ? ['the server reads it as a user: only # begins a comment', 'begin it with #']
      : null,

  fewColumns: ({ server, secret }, { file }) =>
    secret !== null
      ? null
      : [
          `it has ${server === null ? 'one column' : 'two columns'}, and the server ignores it`,
          `write USER ${file.server} "PASSWORD" *`,
        ],

  noServer: (entry, view) =>
    entry.secret === null || entry.addresses.length > 0 || view.isOurs(entry) || !isAddress(entry.secret)
      ? null
      : [
          `"${shown(entry.client)}" belongs to another server, and its third column is an address: a column seems to be missing`,
          `write USER ${view.file.server} "PASSWORD" *`,
        ],

  serverCase: ({ client, server }, { file }) =>
    server === null ||
    server.bytes === bytesOf(file.server) ||
    shown(server).toLowerCase() !== file.server.toLowerCase()
      ? null
      : [
          `"${shown(client)}" belongs to the server "${shown(server)}", but this one is "${file.server}"`,
          `write ${file.server} into its second column`,
        ],

  nameBeyondAscii: ofUsers((entry) =>
    isAscii(entry.client.bytes)
      ? null
      : [
          `${name(entry)} cannot log in: the server reads the name that clients send as "${visible(entry.client.bytes)}", and MS-CHAPv2 fails even with that name`,
          'give the user a name of ASCII letters',
        ],
  ),

  backslashInName: ofUsers((entry) => {
    const word = [entry.client, entry.server].find((each) => has('escape', each));
    return word === undefined
      ? null
      : [`the server reads ${textOf(word.raw)} as "${shown(word)}"`, 'write \\\\ for a backslash: DOMAIN\\\\user'];
  }),

  backslashInSecret: ofUsers((entry) =>
    has('escape', entry.secret)
      ? [
          `the password of ${name(entry)} has a backslash, and the server reads the character after it differently`,
          'write \\\\ for a backslash',
        ]
      : null,
  ),

  secretFile: ofUsers((entry, view) => {
    const path = fileOf(entry.secret);
    if (path === null || view.hasSecret(path)) return null;
    return [
      `the password of ${name(entry)} is expected in ${textOf(path)}, which is missing or empty`,
      'write it there; a password itself cannot begin with @/',
    ];
  }),

  tooLong: ofUsers((entry) =>
    entry.secret.bytes.length > MAX_NAME || entry.client.bytes.length > MAX_NAME
      ? [
          `the name or the password of ${name(entry)} is longer than ${MAX_NAME} bytes`,
          'choose shorter ones; look for a missing blank',
        ]
      : null,
  ),

  neverUsed: ofUsers((entry, view) => {
    const counts = isWild(entry.client) ? null : view.entryFor(entry);
    if (counts === null || counts === entry) return null;
    return [
      `the server never uses it: line ${counts.client.line} applies to ${name(entry)}`,
      'remove one of the two; their passwords may differ',
    ];
  }),

  typographicQuotes: ofUsers((entry) =>
    TYPOGRAPHIC_QUOTE.test(textOf(entry.secret.bytes))
      ? [
          `the password of ${name(entry)} is in typographic quotes, which the server reads as part of it`,
          'write straight quotes: "PASSWORD"',
        ]
      : null,
  ),

  secretBeyondAscii: ofUsers((entry, { file }) =>
    file.kind === 'pap' || isAscii(entry.secret.bytes)
      ? null
      : [
          `the password of ${name(entry)} has characters beyond ASCII, which Windows and the server encode differently for MS-CHAP`,
          'choose a password of ASCII characters',
        ],
  ),

  emptySecret: ofUsers((entry, { file }) => {
    if (entry.secret.bytes !== '') return null;
    if (file.kind === 'pap' && file.hasLogin) return null;
    return [
      file.kind === 'pap' ? `${name(entry)} can log in with any password` : `the password of ${name(entry)} is empty`,
      'write a password',
    ];
  }),

  keepsEverybodyOut: ofUsers((entry, view) =>
    view.keepsEverybodyOut && view.isFirst(entry)
      ? [
          `${name(entry)} may have no IP address and is the first user of this server: pppd concludes the same for all users, and nobody can log in`,
          'add * (any address) at its end, or move it after a user who may have an address',
        ]
      : null,
  ),

  noAddress: ofUsers((entry) =>
    entry.addresses.length > 0
      ? null
      : [
          `${name(entry)} has no fourth column: the server accepts the password but no IP address`,
          isWild(entry.server)
            ? 'add * (any address) at its end, unless this machine uses it to log in elsewhere'
            : 'add * (any address) at its end',
        ],
  ),

  notAnAddress: ofUsers((entry) => {
    for (const [index, word] of entry.addresses.entries()) {
      const [rule] = rulesOf([word]);
      // pppd ignores the words after it.
      if (rule === undefined || word.bytes === '*') return null;
      const odd = whatIsOdd(rule);
      const said = WHOLE_ADDRESS.test(word.bytes) ? ` (${word.bytes})` : '';
      if (odd !== null) {
        return [
          `column ${index + 4} of ${name(entry)}${said} ${odd}`,
          'write four numbers, or * for any address; a password with a space in it needs double quotes',
        ];
      }
    }
    return null;
  }),

  noneOfPool: ofUsers((entry, view) => {
    const rules = rulesOf(entry.addresses);
    // "-" alone excludes a user on purpose.
    if (rules.length === 0 || view.leases.some((lease) => addressGiven(rules, lease) !== null)) return null;
    return view.file.pool === null
      ? [
          `${name(entry)} gets no IP address: with addresses.delegate this line must contain it`,
          "write the client's address into its fourth column",
        ]
      : [
          `${name(entry)} may only have ${addressesOf(entry)}, and addresses.remote contains none of it: the login fails after the password`,
          'write * (any address), addresses of addresses.remote, or one single address',
        ];
  }),

  partOfPool: ofUsers((entry, view) => {
    const rules = rulesOf(entry.addresses);
    if (rules.length === 0 || entry.addresses[0]?.bytes === '*') return null;
    const refused = view.leases.filter((lease) => addressGiven(rules, lease) === null);
    if (refused.length === 0) return null;
    return [
      `${name(entry)} may not have ${refused.length} of the ${view.leases.length} addresses of addresses.remote: the login fails if the server assigns one of them`,
      'write * (any address), or one single address, which the client then gets',
    ];
  }),

  ownAddress: ofUsers((entry, view) => {
    const address = view.fixed(entry);
    if (address === null || !view.file.local.includes(address)) return null;
    return [
      `${name(entry)} has the fixed address ${addressText(address)}, which is the server's own (addresses.local)`,
      'choose another address',
    ];
  }),

  sharedAddress: ofUsers((entry, view) => {
    const other = view.sharesAddress(entry);
    const address = view.fixed(entry);
    if (other === null || address === null) return null;
    return [
      `${name(entry)} and ${name(other)} (line ${other.client.line}) have the same fixed address ${addressText(address)}: they cannot both be connected`,
      'give one of them another address',
    ];
  }),
} as const satisfies Readonly<Record<string, Judge>>;

export type SecretCause = keyof typeof JUDGES;
