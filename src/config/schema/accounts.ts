/** The section `accounts`: the builtin engine's users. */
import * as z from 'zod';
import { path } from './values.js';

export const accountsSection = z
  .strictObject({
    file: path
      .default('/var/lib/pptpd-ts/accounts.json')
      .describe(
        "Users of the builtin engine, besides those of `ppp.secrets`; the file need not exist. `pptpd-ts users` writes it. pppd's users are in chap-secrets, which the same command edits.",
      ),
  })
  .prefault({});
