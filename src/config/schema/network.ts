/** The section `network`: forwarding, NAT and rules for the clients. */
import * as z from 'zod';
import { isUplinkName, MAX_DESTINATIONS, parseDestination } from '../network.js';

const uplink = z
  .string()
  .refine(isUplinkName)
  .meta({ title: "an interface's name of letters, digits and _ . @ : + -, up to 15" });

const destination = z
  .string()
  .refine((text) => parseDestination(text) !== null)
  .meta({ title: 'a network and perhaps ports: 192.0.2.0/24, 192.0.2.1 tcp 443, 192.0.2.1 udp 5000-5010' });

export const networkSection = z
  .strictObject({
    forward: z
      .boolean()
      .default(true)
      .describe(
        '`true`: set net.ipv4.ip_forward to 1, so that clients reach more than the server. It stays 1. `false`: leave it as it is.',
      ),
    masquerade: z
      .union([z.literal('auto'), z.array(uplink)])
      .default([])
      .meta({ title: 'an array of interface names, or "auto"' })
      .describe(
        "Interfaces on which clients appear with the server's address (NAT). `auto`: those of the default routes.",
      ),
    clampMss: z
      .boolean()
      .default(true)
      .describe("`true`: reduce the MSS of the clients' TCP connections to what fits into their tunnels."),
    isolateClients: z.boolean().default(false).describe('`true`: clients cannot reach each other.'),
    allow: z
      .array(destination)
      .max(MAX_DESTINATIONS)
      .default([])
      .describe(
        'What clients may reach, the server included: `192.0.2.0/24`, `192.0.2.1 tcp 443`, `192.0.2.1 udp 5000-5010`. Everything else is rejected. Empty: everything.',
      ),
  })
  .optional()
  .describe(
    'Forwarding, NAT and rules for the clients, in an nftables table of the server. Without this section the server changes nothing of them.',
  );
