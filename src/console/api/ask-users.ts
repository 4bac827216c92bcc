/** Asks root about the users of the VPN. */
import * as z from 'zod';
import type { UserRequest } from '../../users/user-requests.js';
import type { Services } from './route.js';
import * as schemas from './schemas.js';

const rootAnswer = z.object({
  users: z.array(schemas.user.omit({ live: true })),
  remarks: z.array(z.string()),
  file: z.string(),
  keeps: z.array(z.string()),
  endsSessions: z.boolean(),
  storesHash: z.boolean(),
});

export type UserAnswer = z.output<typeof rootAnswer>;

/** Throws RootRefusal. */
export const askUsers = async ({ root }: Pick<Services, 'root'>, request: UserRequest): Promise<UserAnswer> =>
  rootAnswer.parse(await root.ask({ ask: 'users', request }));

/** Of the account that a session has logged in with; null: it has none. */
export async function quotaOf(
  services: Pick<Services, 'root'>,
  account: string | null,
): Promise<UserAnswer['users'][number]['quota']> {
  if (account === null) return null;
  const { users } = await askUsers(services, { op: 'show', name: account });
  return users[0]?.quota ?? null;
}
