/**
 * The console's page with ten real clients: `browse.js FOLDER` leaves a picture of each view in that folder. Needs root.
 *
 * The server and its clients are in a guest (scenario). The browser is on this machine, in a network namespace that has
 * only the TAP device to the guest.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DESKTOP, launchBrowser, openPage } from '../../process/support/browser.js';
import { tour } from '../../process/support/console-tour.js';
import { enterNamespace, ip } from '../../process/support/netns.js';

const CHECKOUT = fileURLToPath(new URL('../../../..', import.meta.url));
const TAP = 'guest';
/** In the scenario's configuration. */
const ORIGIN = 'https://203.0.113.254:8723';
const PASSWORD = 'correct horse battery';
/** What the scenario says when its clients are connected. */
const READY = 'ready for the browser';
const USERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy'];

const folder = process.argv[2] ?? assert.fail('usage: browse.js FOLDER');
enterNamespace();
mkdirSync(folder, { recursive: true });
ip('tuntap', 'add', TAP, 'mode', 'tap');
ip('address', 'add', '203.0.113.253/30', 'dev', TAP);
ip('link', 'set', TAP, 'up');

const guest = spawn(join(CHECKOUT, 'scripts/lab'), ['console'], {
  env: { ...process.env, LAB_TAP: TAP, LAB_PASSWORD: PASSWORD },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const guestEnded = once(guest, 'close');
const ready = new Promise<void>((resolve) => {
  createInterface(guest.stdout).on('line', (line) => {
    console.log(line);
    if (line.endsWith(READY)) resolve();
  });
});

async function browse(): Promise<void> {
  await ready;
  const browser = await launchBrowser();
  const { page, complaints } = await openPage(browser, {
    viewport: { ...DESKTOP, height: 900 },
    // The certificate is the guest's own.
    ignoreHTTPSErrors: true,
  });
  await tour(page, ORIGIN, { name: 'admin', password: PASSWORD }, USERS, folder);
  await browser.close();
  assert.deepEqual(complaints, [], 'the browser has nothing to complain about');
}

async function untilGuestEnded(): Promise<never> {
  await guestEnded;
  throw new Error('the guest ended before the browser had shown everything');
}

try {
  await Promise.race([browse(), untilGuestEnded()]);
} catch (error) {
  guest.kill();
  await guestEnded;
  throw error;
}
await guestEnded;
process.exitCode = guest.exitCode ?? 1;
