/** Logins of real clients, from the soak's: with a call, with a tunnel that is up, or refused. */
import type { TestContext } from 'node:test';
import { GreHub } from '../../soak/gre-hub.js';
import { Visitor } from '../../soak/visitor.js';
import { SERVER_ADDRESS } from './server.js';

export class ClientLogins {
  readonly #hub = new GreHub(SERVER_ADDRESS, '198.51.100.0', 24);

  /** A client with a call, about to log in. */
  async called(t: TestContext, user: string, address: string): Promise<Visitor> {
    const attempt = { address, begun: 0, session: 'no', user: null, ending: '', reasons: null } as const;
    const visitor = new Visitor({ hub: this.#hub, attempt: { ...attempt }, user });
    t.after(() => visitor.close());
    await visitor.connect();
    await visitor.start();
    await visitor.call();
    return visitor;
  }

  async loggedIn(t: TestContext, user: string, address: string): Promise<Visitor> {
    const visitor = await this.called(t, user, address);
    await visitor.logIn();
    return visitor;
  }

  /** A login that does not get far: whether refused or ended, its connection closes. */
  async losesItsLogin(t: TestContext, user: string, address: string): Promise<Visitor> {
    const visitor = await this.called(t, user, address);
    visitor.logIn().catch(() => undefined); // told by the closing
    await visitor.gone();
    return visitor;
  }

  close(): void {
    this.#hub.close();
  }
}
