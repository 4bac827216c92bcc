/** The section `broadcastRelay`: the relay of UDP broadcasts. */
import * as z from 'zod';
import { interfaceName } from './values.js';

export const broadcastRelaySection = z
  .strictObject({
    interface: interfaceName.describe(
      "LAN interface. UDP broadcasts are relayed between it and the tunnels, and between tunnels, as by pptpd's bcrelay.",
    ),
  })
  .optional()
  .describe('Relays UDP broadcasts. Without this section none are relayed.');
