/** A FreeRADIUS of the test's own, in its network namespace, with the users that the test gives it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { atEnd } from './at-end.js';
import { until, within } from './wait.js';

const PROGRAM = '/usr/sbin/freeradius';
export const SECRET = 'test-secret';

/** Why the tests cannot run here; false: they can. */
export const withoutFreeRadius = existsSync(PROGRAM) ? false : 'FreeRADIUS is not installed';

/** Every request must be signed. */
const configuration = (folder: string, address: string): string => `
name = test
prefix = /usr
libdir = /usr/lib/freeradius
logdir = ${folder}
run_dir = ${folder}
raddbdir = ${folder}
pidfile = ${folder}/radiusd.pid
log {
	destination = files
	file = ${folder}/radius.log
	auth = yes
}
security {
	reject_delay = 0
}
client test {
	ipaddr = 0.0.0.0/0
	secret = ${SECRET}
	require_message_authenticator = yes
}
modules {
	pap {
	}
	chap {
	}
	mschap {
		use_mppe = yes
	}
	files {
		filename = ${folder}/users
	}
	detail {
		filename = ${folder}/accounting
		escape_filenames = no
	}
}
server default {
	listen {
		type = auth
		ipaddr = ${address}
		port = 1812
	}
	listen {
		type = acct
		ipaddr = ${address}
		port = 1813
	}
	authorize {
		chap
		mschap
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
		Auth-Type CHAP {
			chap
		}
		Auth-Type MS-CHAP {
			mschap
		}
	}
	# FreeRADIUS before 3.2.5 signs its answers only when it is told to.
	post-auth {
		update reply {
			&Message-Authenticator := 0x00
		}
		Post-Auth-Type REJECT {
			update reply {
				&Message-Authenticator := 0x00
			}
		}
	}
	preacct {
	}
	accounting {
		detail
	}
}
`;

export class FreeRadius {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-radius-'));
  readonly #address: string;
  #child: ChildProcess | null = null;

  private constructor(address: string, users: string) {
    this.#address = address;
    writeFileSync(join(this.#folder, 'users'), users);
    writeFileSync(join(this.#folder, 'radiusd.conf'), configuration(this.#folder, address));
  }

  /** Resolves when it listens on `address`, which belongs to the namespace. */
  static async start(t: TestContext, address: string, users: string): Promise<FreeRadius> {
    const server = new FreeRadius(address, users);
    atEnd(t, async () => {
      await server.stop();
      rmSync(server.#folder, { recursive: true });
    });
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const output: string[] = [];
    this.#child = spawn(PROGRAM, ['-f', '-d', this.#folder], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (text) => output.push(String(text)));
    this.#child.stderr?.on('data', (text) => output.push(String(text)));
    const before = this.#read('radius.log').length;
    await until(`FreeRADIUS at ${this.#address} to listen`, () => {
      assert.equal(this.#child?.exitCode, null, output.join('') + this.#read('radius.log'));
      return this.#read('radius.log').slice(before).includes('Ready to process requests');
    });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await within('FreeRADIUS to end', ended);
  }

  get log(): string {
    return this.#read('radius.log');
  }

  /** Attributes of the accounting requests, a text for each. */
  get accounting(): string[] {
    return this.#read('accounting')
      .split('\n\n')
      .filter((record) => record.trim() !== '');
  }

  #read(name: string): string {
    const path = join(this.#folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }
}
