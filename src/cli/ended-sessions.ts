/** The table of `pptpd-ts sessions --ended`. */
import type { AccountRecord } from '../accounting/record.js';
import { duration, localTime, octets } from '../admin/units.js';

export const ENDED_HEADINGS = ['ID', 'USER', 'CLIENT', 'TUNNEL', 'ENDED', 'LASTED', 'RECEIVED', 'SENT', 'REASON'];

export const endedRow = (record: AccountRecord): string[] => [
  record.session,
  record.user === null ? '-' : `${record.user}${record.authenticated ? '' : ' (refused)'}`,
  record.client,
  record.tunnel.remote ?? '-',
  localTime(Date.parse(record.end)),
  duration(record.seconds),
  octets(record.rxBytes),
  octets(record.txBytes),
  record.detail === null ? (record.reason ?? '-') : `${record.reason}: ${record.detail}`,
];
