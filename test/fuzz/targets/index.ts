/** All targets, by the names of their corpus files. */
import type { Target } from '../target.js';
import { broadcast } from './broadcast.js';
import { greHeader, greSequence, greWindow } from './gre.js';
import { hdlcDecode, hdlcEncode, preamble } from './hdlc.js';
import { mppe } from './mppe.js';
import { ppp } from './ppp.js';
import { pppEngine } from './ppp-engine.js';
import { pptp } from './pptp.js';
import { radius } from './radius.js';
import { radiusRequest } from './radius-request.js';
import { sessionLines, sessionRecord } from './session.js';
import { tunCut, tunFrame, tunJoin } from './tun.js';

export const TARGETS: Readonly<Record<string, Target>> = {
  pptp,
  'gre-header': greHeader,
  'gre-sequence': greSequence,
  'gre-window': greWindow,
  'hdlc-decode': hdlcDecode,
  'hdlc-encode': hdlcEncode,
  preamble,
  mppe,
  'tun-cut': tunCut,
  'tun-join': tunJoin,
  'tun-frame': tunFrame,
  ppp,
  'ppp-engine': pppEngine,
  broadcast,
  radius,
  'radius-request': radiusRequest,
  'session-lines': sessionLines,
  'session-record': sessionRecord,
};
