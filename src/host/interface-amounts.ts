/** What went through the machine's interfaces, seen from this machine: it sends to the client. */
import { readFileSync } from 'node:fs';

interface Amount {
  readonly octets: number;
  readonly packets: number;
}

export interface InterfaceAmounts {
  readonly received: Amount;
  readonly sent: Amount;
}

export type AmountsByName = ReadonlyMap<string, InterfaceAmounts>;

/** Lines of /proc/net/dev; its headings have no colon. */
export function amountsByName(): AmountsByName {
  const lines = readFileSync('/proc/net/dev', 'latin1').split('\n');
  return new Map(
    lines.flatMap((line): [string, InterfaceAmounts][] => {
      const [, name, numbers] = /^\s*([^:\s]+):(.*)$/.exec(line) ?? [];
      if (name === undefined || numbers === undefined) return [];
      const fields = numbers.trim().split(/\s+/).map(Number);
      const received = { octets: fields[0] ?? 0, packets: fields[1] ?? 0 };
      return [[name, { received, sent: { octets: fields[8] ?? 0, packets: fields[9] ?? 0 } }]];
    }),
  );
}

export function octetsOf(name: string): { readonly sent: number; readonly received: number } | null {
  const amounts = amountsByName().get(name);
  return amounts === undefined ? null : { received: amounts.received.octets, sent: amounts.sent.octets };
}
