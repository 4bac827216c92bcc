/** The section `addresses`: the addresses inside the tunnels. */
import * as z from 'zod';
import { addressList, expandRanges, rangesOf } from '../addresses.js';

const RANGE = 'an address, a range or a block: 192.0.2.1, 192.0.2.1-20, 192.0.2.1-192.0.2.20, 192.0.2.0/24';

const ranges = z
  .union([z.string().meta({ title: RANGE }), z.array(z.string().meta({ title: RANGE }))])
  .superRefine((value, context) => {
    const expanded = expandRanges(value);
    if (expanded.ok) return;
    for (const { index, range, reason } of expanded.problems) {
      context.addIssue({
        code: 'custom',
        path: index === null ? [] : [index],
        params: { value: range, reason: `it ${reason}` },
      });
    }
  })
  .meta({ title: `an array or a comma list, each ${RANGE}` });

/** Both address lists, for the rules that compare them; null if one is invalid or pppd chooses the addresses. */
function addressLists(value: unknown): { local: readonly string[]; remote: readonly string[] } | null {
  const parsed = z.object({ local: ranges, remote: ranges, delegate: z.literal(false) }).safeParse(value);
  if (!parsed.success) return null;
  return { local: addressList(parsed.data.local), remote: addressList(parsed.data.remote) };
}

function checkAddresses(value: unknown, context: z.core.$RefinementCtx): void {
  const lists = addressLists(value);
  if (lists === null) return;
  const { local, remote } = lists;
  const problem = (key: 'local' | 'remote', params: { value: unknown; reason: string; allowed: string }): void =>
    context.addIssue({ code: 'custom', path: [key], params });
  const reason = 'there would be no address for a client';
  if (local.length === 0)
    problem('local', { value: [], reason, allowed: 'at least one address, unless delegate is true' });
  if (remote.length === 0)
    problem('remote', { value: [], reason, allowed: 'at least one address, unless delegate is true' });
  if (local.length > 1 && local.length < remote.length) {
    problem('local', {
      value: rangesOf(local).join(','),
      reason: `it has ${local.length} addresses, and 'remote' has ${remote.length}`,
      allowed: "one address for all, or at least as many as 'remote' has",
    });
  }
  const ofClients = new Set(remote);
  const both = local.filter((text) => ofClients.has(text));
  if (both.length > 0) {
    problem('local', {
      value: rangesOf(both).join(','),
      reason: "it is in 'remote' too",
      allowed: "addresses that are not in 'remote'",
    });
  }
}

export const addressesSection = z
  .strictObject({
    local: ranges
      .default(['192.168.0.1'])
      .describe("The server's end of the tunnels: one address for all, or one for each address of `addresses.remote`."),
    remote: ranges.default(['192.168.1.10-100']).describe("Pool of the clients' addresses: one for each session."),
    delegate: z
      .boolean()
      .default(false)
      .describe(
        '`true`: pppd gives each client its address, from RADIUS or the fourth column of chap-secrets; `addresses.remote` is not used.',
      ),
  })
  .superRefine(checkAddresses, { when: ({ value }) => addressLists(value) !== null })
  .prefault({});
