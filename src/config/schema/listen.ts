/** The section `listen`: where clients connect. */
import * as z from 'zod';
import { TCP_PORT } from '../../pptp/index.js';
import { address, interfaceName, port } from './values.js';

export const listenSection = z
  .strictObject({
    address: address.default('0.0.0.0').describe('Address on which clients connect. `0.0.0.0`: every address.'),
    port: port.default(TCP_PORT).describe('TCP port. Clients expect 1723.'),
    vrf: interfaceName
      .optional()
      .describe(
        "VRF device to which the TCP listener and the GRE sockets are bound. The builtin engine puts the tunnels' interfaces " +
          'into it, too; with pppd, `/etc/ppp/ip-up` may do so.',
      ),
  })
  .prefault({});
