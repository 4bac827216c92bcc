/**
 * Converts pptpd's `localip` and `remoteip` to our pool: the pairs that pptpd would lend, in its order, as many as
 * `connections` and both lists allow. A pair whose tunnel could not work is left out.
 */
import { addressNumber, expandRanges, rangesOf } from './addresses.js';
import { listed, type Notes, quoted, type Source } from './import-notes.js';
import type { Setting } from './import-options.js';
import { type LookUp, type PptpdList, readAsMeant, readPptpdList } from './pptpd-addresses.js';

export interface PoolSettings {
  readonly localip: Setting;
  readonly remoteip: Setting;
  /** pptpd's limit, and where it is set. */
  readonly connections: { readonly most: number; readonly where: string };
}

export interface ImportedPool {
  readonly local: readonly string[];
  readonly remote: readonly string[];
}

interface Pair {
  readonly local: string;
  readonly remote: string;
}

/** A list as far as pptpd would read it. */
interface List {
  readonly source: Source;
  readonly addresses: readonly string[];
  /** The list as written in the file. It is kept if it means the same in our configuration. */
  readonly ranges: readonly string[];
  readonly isCut: boolean;
}

/** null, and a fault is noted, if no client could be given an address. */
export function importPool(settings: PoolSettings, lookUp: LookUp, notes: Notes): ImportedPool | null {
  const { connections } = settings;
  const remotes = readList(settings.remoteip, connections.most, true, lookUp, notes);
  // pptpd reads at most as many local addresses as there are remote ones.
  const most = remotes === null ? connections.most : Math.min(connections.most, remotes.addresses.length);
  const locals = readList(settings.localip, most, false, lookUp, notes);
  if (remotes === null || locals === null) return null;

  const [first = ''] = locals.addresses;
  const isForAll = locals.addresses.length === 1;
  const lent = remotes.addresses.slice(0, isForAll ? remotes.addresses.length : locals.addresses.length);
  const pairs = usable(
    lent.map((remote, index) => ({ local: isForAll ? first : (locals.addresses[index] ?? first), remote })),
    remotes.source,
    notes,
  );
  if (pairs.length === 0) {
    notes.fault(remotes.source, 'pptpd would start, but no usable address is left for clients');
    return null;
  }
  const ours = pairs.map(({ local }) => local);
  const theirs = pairs.map(({ remote }) => remote);
  const remote = sameAs(remotes.ranges, theirs) ? remotes.ranges : rangesOf(theirs);
  if (remotes.isCut || lent.length < remotes.addresses.length) {
    const limit =
      lent.length < remotes.addresses.length
        ? `than localip has addresses (${locals.source.text})`
        : `than connections allows (${connections.where})`;
    notes.remark(
      remotes.source,
      `only the first ${counted(lent.length)} carried over: pptpd serves no more clients ${limit}; written: ${listed(remote)}`,
    );
  }
  return { local: writtenLocals(locals, ours, theirs, notes), remote };
}

/** The list as pptpd reads it. If pptpd would not start with it, it is read as it was meant, if possible. */
function readList(
  { value, source }: Setting,
  most: number,
  isUnique: boolean,
  lookUp: LookUp,
  notes: Notes,
): List | null {
  const list = readPptpdList(value, most, isUnique, lookUp);
  if (!list.starts) return readMeantList(value, source, list, most, notes);
  const addresses = list.pieces.flatMap((piece) => piece.addresses);
  for (const { text, addresses: taken, isHostName } of list.pieces) {
    const written = listed(rangesOf(taken));
    if (isHostName) {
      notes.remark(source, `pptpd looks up ${quoted(text)} at its start; written: ${written}, its current address`);
    } else if (!startsWith(text.trim(), taken)) {
      const word = quoted(text.trim());
      notes.remark(
        source,
        taken.length === 0
          ? `pptpd reads no address from ${word}; left out`
          : `pptpd reads ${word} as ${written}; written: ${written}`,
      );
    }
  }
  return { source, addresses, ranges: list.pieces.map(({ text }) => text.trim()), isCut: list.isCut };
}

function readMeantList(
  value: string,
  source: Source,
  { piece, reason }: PptpdList & { starts: false },
  most: number,
  notes: Notes,
): List | null {
  const refusal = `pptpd would not start with ${quoted(piece)} (${reason})`;
  const meant = readAsMeant(value);
  if (!meant.ok) {
    notes.fault(source, refusal);
    for (const { range, reason: ours } of meant.problems) {
      if (range !== piece.trim()) notes.fault(source, `${quoted(range)} ${ours}`);
    }
    return null;
  }
  notes.remark(source, `${refusal}; read as ${listed(meant.ranges)}`);
  return {
    source,
    addresses: meant.addresses.slice(0, most),
    ranges: meant.ranges,
    isCut: meant.addresses.length > most,
  };
}

/** The pairs that work: pppd accepts both addresses, and no other tunnel has the client's. */
function usable(pairs: readonly Pair[], source: Source, notes: Notes): Pair[] {
  const ours = new Set<string>();
  const theirs = new Set<string>();
  const [refused, repeated, onBothEnds]: [string[], string[], string[]] = [[], [], []];
  const kept = pairs.filter(({ local, remote }) => {
    const bad = [local, remote].filter(isRefusedByPppd);
    refused.push(...bad);
    if (bad.length > 0) return false;
    if (theirs.has(remote)) {
      repeated.push(remote);
      return false;
    }
    if (local === remote || ours.has(remote) || theirs.has(local)) {
      onBothEnds.push(remote);
      return false;
    }
    ours.add(local);
    theirs.add(remote);
    return true;
  });
  if (refused.length > 0) {
    const addresses = listed(rangesOf([...new Set(refused)]));
    notes.remark(source, `left out: pairs with ${addresses}, which pppd refuses`);
  }
  if (repeated.length > 0) {
    notes.remark(source, `left out: ${listed(rangesOf(repeated))}, repeated: pptpd would lend it to two clients`);
  }
  if (onBothEnds.length > 0) {
    notes.remark(
      source,
      `left out: ${listed(rangesOf(onBothEnds))}: pptpd would use an address both for a client and for its own end, and such a tunnel carries no data`,
    );
  }
  return kept;
}

/** Loopback, multicast and above. */
function isRefusedByPppd(address: string): boolean {
  const first = (addressNumber(address) ?? 0) >>> 24;
  return first === 127 || first >= 224;
}

/** One address for all clients, or one for each. Our configuration allows nothing in between. */
function writtenLocals(
  { ranges, source }: List,
  ours: readonly string[],
  theirs: readonly string[],
  notes: Notes,
): readonly string[] {
  const [first = ''] = ours;
  const different = new Set(ours);
  if (different.size === 1) return [first];
  if (different.size < ours.length) {
    notes.remark(source, `pptpd uses some of these for more than one client; written: ${first}, for every client`);
    return [first];
  }
  const whole = expandRanges(ranges);
  const ofClients = new Set(theirs);
  const isFree = whole.ok && !whole.addresses.some((address) => ofClients.has(address));
  return isFree && ours.every((address, index) => whole.addresses[index] === address) ? ranges : rangesOf(ours);
}

const counted = (count: number): string => (count === 1 ? 'address is' : `${count} addresses are`);

/** Whether the ranges contain exactly these addresses, in this order. */
function sameAs(ranges: readonly string[], addresses: readonly string[]): boolean {
  const expanded = expandRanges(ranges);
  return (
    expanded.ok &&
    expanded.addresses.length === addresses.length &&
    addresses.every((address, index) => expanded.addresses[index] === address)
  );
}

/** Whether the range, read in our notation, begins with these addresses. */
function startsWith(range: string, addresses: readonly string[]): boolean {
  const expanded = expandRanges([range]);
  return expanded.ok && addresses.every((address, index) => expanded.addresses[index] === address);
}
