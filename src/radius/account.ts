/** An account record as a RADIUS server gets it (RFC 2866, RFC 2869). Pure. */
import type { Attribute } from './attributes.js';
import { nasAttributes } from './nas-attributes.js';
import type { AccountRecord, SpooledRecord } from './protocol.js';

const STATUS: Readonly<Record<SpooledRecord['status'], number>> = { start: 1, stop: 2, interim: 3, on: 7, off: 8 };
/** The user was authenticated by RADIUS (RFC 2866 §5.6). */
const BY_RADIUS = 1;
const GIGAWORD = 2 ** 32;

/** `now`: seconds since 1970, for how late the record is. */
export function accountAttributes(record: SpooledRecord, nasIdentifier: string, now: number): readonly Attribute[] {
  const { status, id, at } = record;
  return [
    ['Acct-Status-Type', STATUS[status]],
    ['Acct-Session-Id', id],
    ...('name' in record ? sessionAttributes(record, nasIdentifier) : [['NAS-Identifier', nasIdentifier] as const]),
    ['Event-Timestamp', at],
    ['Acct-Delay-Time', Math.max(0, now - at)],
  ];
}

function sessionAttributes(record: AccountRecord, nasIdentifier: string): readonly Attribute[] {
  const { status, name, classes, address, seconds, received, sent, cause } = record;
  const amounts: readonly Attribute[] = [
    ['Acct-Session-Time', seconds],
    ['Acct-Input-Octets', received.octets % GIGAWORD],
    ['Acct-Input-Gigawords', Math.floor(received.octets / GIGAWORD)],
    ['Acct-Output-Octets', sent.octets % GIGAWORD],
    ['Acct-Output-Gigawords', Math.floor(sent.octets / GIGAWORD)],
    ['Acct-Input-Packets', received.packets % GIGAWORD],
    ['Acct-Output-Packets', sent.packets % GIGAWORD],
  ];
  const ending: readonly Attribute[] = cause === null ? [] : [['Acct-Terminate-Cause', cause]];
  const addresses: readonly Attribute[] = address === null ? [] : [['Framed-IP-Address', address]];
  return [
    ['User-Name', Buffer.from(name, 'hex')],
    ...classes.map((each): Attribute => ['Class', Buffer.from(each, 'hex')]),
    ...nasAttributes(record, nasIdentifier),
    ...addresses,
    ['Acct-Authentic', BY_RADIUS],
    ...(status === 'start' ? [] : amounts),
    ...ending,
  ];
}
