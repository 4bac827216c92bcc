/** The console's page in a real browser, on a running server with real sessions. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { before, test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import type { Status } from '../../src/console/api/schemas.js';
import type { User } from '../../src/users/user.js';
import { usersOf } from '../../src/users/users-file.js';
import { startFakeApi } from '../console/fake-api.js';
import { assertAccessible, DESKTOP, logIn, openPage, PHONE, startBrowser } from './support/browser.js';
import { CONSOLE_PORT, ConsoleClient, consoleSettings, makeToken } from './support/console.js';
import { accountsOf, builtinServer, configureBuiltin, secretsOf } from './support/engines.js';
import { prepareMachine } from './support/monitor.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, PROGRAM, SERVER_ADDRESS, type Server } from './support/server.js';
import { standInId, standInSessions } from './support/stand-in-sessions.js';
import { PASSWORD, VpnClient } from './support/vpn-client.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);
before(prepareMachine);

const ORIGIN = `http://127.0.0.1:${CONSOLE_PORT}`;
const CONSOLE_PASSWORD = 'correct horse battery';
const HOSTILE = `<img src=x onerror="document.title='owned'"><b>bold</b>`;
/** Octets of the first view over the wire. */
const MOST_OCTETS = 300_000;
const MANY = 1000;
/** Rows of the table that may exist: those in view, and a few around them. */
const MOST_ROWS = 60;

/** Pixels: around each width at which the tables lose a column, and between them. */
const WIDTHS = [375, 720, 768, 850, 880, 881, 960, 1060, 1061, 1170, 1171, 1270, 1271, 1320, 1321, 1600];
/** What is wrong with the table of the page. The headings are hidden where rows are cards. */
const MISFITS = `(() => {
  const table = document.querySelector('main table');
  const lefts = (cells) => [...cells].filter(({ offsetParent }) => offsetParent !== null)
    .map((cell) => Math.round(cell.getBoundingClientRect().left)).join();
  const heads = table.tHead.querySelectorAll('th');
  const row = table.querySelector('tbody tr:not(.space)');
  const hasHeads = getComputedStyle(table.tHead).display === 'table-header-group';
  return [
    document.documentElement.scrollWidth > innerWidth && 'the page is wider than the window',
    table.getBoundingClientRect().right > innerWidth && 'the table is wider than the window',
    hasHeads && lefts(heads) !== lefts(row.children) && 'a heading is not above its column',
    row.querySelector('.user').getBoundingClientRect().width < 80 && 'no room for the name',
  ].filter((misfit) => misfit !== false);
})()`;

function consoleUser(server: Server, ...args: readonly string[]): void {
  const command = ['console', 'user', ...args, '-c', server.configurationFile];
  const { status, stderr } = spawnSync(PROGRAM, command, {
    input: `${CONSOLE_PASSWORD}\n`,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
}

async function startServer(t: TestContext): Promise<Server> {
  const server = builtinServer();
  writeFileSync(
    secretsOf(server),
    ['alice', 'bob', `"${HOSTILE.replaceAll('"', '\\"')}"`].map((name) => `${name} * ${PASSWORD} *\n`).join(''),
    { mode: 0o600 },
  );
  configureBuiltin(server, {
    ...consoleSettings(server),
    accounting: { file: `${server.directory}/accounting/accounting.jsonl` },
    log: { level: 'debug' },
  });
  endWith(t, server);
  consoleUser(server, 'add', 'boss', '--role', 'admin');
  consoleUser(server, 'add', 'looker', '--role', 'view');
  server.start();
  await server.ready();
  await server.waitForLog('the console to listen', ({ msg }) => msg.startsWith('the console listens'));
  return server;
}

const carolOf = (server: Server): User | undefined => {
  const file = accountsOf(server);
  return usersOf(file, readFileSync(file, 'utf8')).find(({ name }) => name === 'carol');
};

let callId = 200;
const connect = async (t: TestContext, user: string, from: string): Promise<VpnClient> =>
  VpnClient.loggedIn(t, { user, from, callId: ++callId, password: PASSWORD });

async function failLogin(t: TestContext, user: string): Promise<void> {
  const client = await VpnClient.call(t, { user, from: CLIENT_ADDRESSES[2], callId: ++callId, password: 'wrong' });
  client.negotiate();
  await client.gone();
}

/** Views, and what each has when its data is there. */
const VIEWS: Readonly<Record<string, string>> = {
  '/': 'ul.bars li',
  '/sessions': 'table.sessions tbody tr:not(.space)',
  '/failures': '.failure .remedy',
  '/users': 'table.users tbody tr',
  '/history': 'table.history tbody tr',
  '/server': '.card .pill.ok >> text=Running',
};

const open = async (page: Page, path: string): Promise<void> => {
  await page.goto(`${ORIGIN}${path}`);
};

test('the page', async (t) => {
  // First, because what is begun first ends first, and nothing of the namespace may be left then.
  const browser = await startBrowser(t);
  const server = await startServer(t);
  await connect(t, 'alice', CLIENT_ADDRESSES[0]);
  await connect(t, HOSTILE, CLIENT_ADDRESSES[1]);
  await failLogin(t, HOSTILE);
  const [session] = (await server.sessions()).filter(({ user }) => user === 'alice');
  const id = session?.session ?? assert.fail('no session');

  for (const [look, viewport] of [
    ['light', DESKTOP],
    ['dark', PHONE],
  ] as const) {
    await t.test(`every view is accessible: ${look}, ${viewport.width} pixels`, async (each) => {
      const { context, page, complaints } = await openPage(browser, { colorScheme: look, viewport });
      each.after(async () => context.close());
      await open(page, '/sessions');
      await page.locator('.login form').waitFor();
      await assertAccessible(page, 'the login');
      assert.equal(await page.getByText('PPTP does not keep secrets').count(), 1, 'it says what PPTP is worth');
      await logIn(page, 'boss', CONSOLE_PASSWORD);
      assert.equal(new URL(page.url()).pathname, '/sessions', 'the login leads to where one wanted to go');
      for (const [path, data] of Object.entries(VIEWS)) {
        await open(page, path);
        await page.locator(data).first().waitFor();
        await assertAccessible(page, path);
        assert.equal(await page.getByText('PPTP does not keep secrets').count(), 0, `${path}: said once`);
      }
      await open(page, `/sessions/${id}`);
      await page.getByText('MPPE 128 stateless').first().waitFor();
      await page.locator('.chart canvas').waitFor();
      await assertAccessible(page, 'a session');
      await page.getByRole('button', { name: 'Capture' }).click();
      await page.locator('dialog[open]').waitFor();
      await assertAccessible(page, 'a dialog');
      await page.keyboard.press('Escape');
      await open(page, '/users');
      await page.getByRole('button', { name: 'Add a user' }).click();
      await page.locator('dialog[open]').waitFor();
      await assertAccessible(page, 'the form of a user');
      assert.deepEqual(complaints, []);
    });
  }

  await t.test('names that are HTML are shown as text', async (each) => {
    const { context, page, complaints } = await openPage(browser);
    each.after(async () => context.close());
    await open(page, '/');
    await logIn(page, 'boss', CONSOLE_PASSWORD);
    for (const path of ['/', '/sessions', '/failures', '/users']) {
      await open(page, path);
      await page.locator('main bdi', { hasText: HOSTILE }).first().waitFor();
      assert.equal(await page.locator('main img, main b >> text=/^bold$/').count(), 0, path);
      assert.doesNotMatch(await page.title(), /owned/);
    }
    await open(page, '/sessions');
    await page.getByRole('link', { name: HOSTILE }).click();
    await page.locator('h1 bdi', { hasText: HOSTILE }).waitFor();
    assert.deepEqual(complaints, []);
  });

  await t.test('who may look only is shown nothing that changes', async (each) => {
    const { context, page } = await openPage(browser);
    each.after(async () => context.close());
    await open(page, '/sessions');
    await logIn(page, 'looker', CONSOLE_PASSWORD);
    for (const [path, data] of Object.entries({ ...VIEWS, [`/sessions/${id}`]: '.facts' })) {
      await open(page, path);
      await page.locator(data).first().waitFor();
      const names = await page.locator('main button').allTextContents();
      assert.doesNotMatch(
        names.join('|'),
        /Disconnect|Capture|Add a user|Edit|Unblock|Reload|Check the (?:file|text)|Log more/,
        path,
      );
      assert.equal(await page.locator('main .deed button').count(), 0, path);
    }
  });

  await t.test('users are added, changed, disabled and removed', async (each) => {
    const { context, page, complaints } = await openPage(browser);
    each.after(async () => context.close());
    await open(page, '/users');
    await logIn(page, 'boss', CONSOLE_PASSWORD);
    await page.getByRole('button', { name: 'Add a user' }).click();
    const dialog = page.locator('dialog[open]');
    await dialog.getByLabel('Name').fill('carol');
    await dialog.getByLabel('Password', { exact: true }).fill('a password');
    await dialog.getByLabel('Speed down').fill('fast');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByRole('alert').getByText('“fast” is not understood').waitFor();
    await dialog.getByLabel('Speed down').fill('20M');
    await dialog.getByLabel('Expires after the first login').fill('30 d');
    await dialog.getByLabel('Password', { exact: true }).press('Tab');
    await page.keyboard.press('Space');
    await dialog.getByRole('button', { name: 'Add' }).click();
    const row = page.getByRole('row', { name: /carol/ });
    await row.getByText('20.0 Mbit/s').waitFor();
    await row.getByText('30 d after first login').waitFor();
    const added = carolOf(server);
    assert.deepEqual([added?.password, added?.expiresAfter], ['a password', 30 * 86_400]);
    await row.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByRole('button', { name: 'New password' }).click();
    await dialog.getByLabel('New password', { exact: true }).fill('another password');
    await assertAccessible(page, 'the dialog of a new password');
    await dialog.getByRole('button', { name: 'Change the password' }).click();
    await page.getByRole('status').getByText('carol has a new password').waitFor();
    assert.equal(carolOf(server)?.password, 'another password', 'what was stored before is stored again');
    await row.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByRole('button', { name: 'New password' }).click();
    await dialog.getByLabel('New password', { exact: true }).fill('a third one');
    await dialog.getByLabel('Store the password itself').uncheck();
    await dialog.getByRole('button', { name: 'Change the password' }).click();
    await page.getByRole('status').getByText('carol has a new password').waitFor();
    await until('the password to be a hash only', () => carolOf(server)?.password === undefined);
    await page.getByRole('button', { name: 'Add a user' }).click();
    await dialog.getByLabel('Name').fill('carol');
    await dialog.getByLabel('Password', { exact: true }).fill('a password');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog
      .getByRole('alert')
      .getByText(/already has a user/)
      .waitFor();
    await page.keyboard.press('Escape');
    await row.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByRole('button', { name: 'Disable' }).click();
    await dialog.getByText('The user cannot log in any more').waitFor();
    await dialog.getByRole('button', { name: 'Disable' }).click();
    await row.getByText('Disabled').waitFor();
    await row.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByText('This cannot be undone').waitFor();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await row.waitFor({ state: 'detached' });
    assert.deepEqual(complaints, []);
  });

  await t.test('a text is checked as the configuration of the server would be', async (each) => {
    const { context, page, complaints } = await openPage(browser);
    each.after(async () => context.close());
    await open(page, '/server');
    await logIn(page, 'boss', CONSOLE_PASSWORD);
    await page.getByText('Check another text').click();
    await page.getByLabel('Text of a configuration').fill('{ "listen": { "port": 0 } }');
    await page.getByRole('button', { name: 'Check the text' }).click();
    await page.getByText('The text: listen.port: 0 is not allowed').waitFor();
    await assertAccessible(page, 'the errors of a text');
    await page.getByLabel('Text of a configuration').fill(readFileSync(server.configurationFile, 'utf8'));
    await page.getByRole('button', { name: 'Check the text' }).click();
    await page.getByText('The text has no error').waitFor();
    assert.deepEqual(complaints, []);
  });

  await t.test('the keyboard alone is enough to log in, find a session and disconnect it', async (each) => {
    const victim = await connect(each, 'bob', CLIENT_ADDRESSES[2]);
    const { context, page } = await openPage(browser);
    each.after(async () => context.close());
    const { keyboard } = page;
    await open(page, '/');
    await logIn(page, 'boss', CONSOLE_PASSWORD);
    await tabTo(page, 'Sessions');
    await keyboard.press('Enter');
    await page.getByRole('row', { name: /bob/ }).waitFor();
    await keyboard.press('/');
    await keyboard.type('bob');
    await page.getByText('1 of 3 sessions').waitFor();
    await tabTo(page, 'bob');
    await keyboard.press('Enter');
    await page.locator('h1', { hasText: 'bob' }).waitFor();
    await tabTo(page, 'Disconnect…');
    await keyboard.press('Enter');
    await page.getByText('ends at once').waitFor();
    await keyboard.type('by keyboard');
    await keyboard.press('Enter');
    await victim.gone();
    await page.getByText('This session is over').waitFor();
    await page.getByRole('status').getByText('bob was disconnected').waitFor();
    await tabTo(page, 'Look for it in the history');
    await keyboard.press('Enter');
    await page.getByText('by keyboard').waitFor();
  });

  await t.test('a manager that restarts is noticed, and sessions go on', async (each) => {
    const { context, page } = await openPage(browser);
    each.after(async () => context.close());
    await open(page, '/sessions');
    await logIn(page, 'boss', CONSOLE_PASSWORD);
    await page.getByRole('row', { name: /alice/ }).waitFor();
    server.signal('SIGQUIT');
    await server.exited();
    await page.getByRole('alert').getByText('manager does not answer').waitFor();
    await page.getByRole('row', { name: /alice/ }).waitFor();
    server.start();
    await server.ready();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.getByRole('row', { name: /alice/ }).waitFor();
  });

  await t.test('a login that is no longer valid leads to the login, and from there back', async (each) => {
    const { context, page } = await openPage(browser);
    each.after(async () => context.close());
    consoleUser(server, 'add', 'guest', '--role', 'view');
    await open(page, '/sessions');
    await logIn(page, 'guest', CONSOLE_PASSWORD);
    await page.getByRole('row', { name: /alice/ }).waitFor();
    const cookies = await context.cookies();
    await context.addCookies(cookies.map((cookie) => ({ ...cookie, value: 'of-yesterday' })));
    await page.getByRole('link', { name: 'Users' }).click();
    await page.getByText('Your login has expired').waitFor();
    await logIn(page, 'guest', CONSOLE_PASSWORD);
    await page.locator('table.users').waitFor();
    assert.equal(new URL(page.url()).pathname, '/users');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.locator('.login form').waitFor();
    await open(page, '/users');
    await page.locator('.login input[name=name]:focus').waitFor();
    await page.keyboard.type('guest');
    await page.keyboard.press('Tab');
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText(/wrong/i).waitFor();
  });

  await t.test('the tables fit into windows of any width, with each heading above its column', async (each) => {
    const fake = await startFakeApi();
    const { context, page } = await openPage(browser);
    each.after(async () => context.close());
    each.after(() => fake.close());
    await page.goto(fake.url);
    await logIn(page, 'admin', 'admin');
    for (const path of ['/sessions', '/users', '/history']) {
      await page.setViewportSize(DESKTOP);
      await page.goto(`${fake.url}${path}`);
      await page.locator('main tbody tr:not(.space)').first().waitFor();
      for (const width of WIDTHS) {
        await page.setViewportSize({ ...DESKTOP, width });
        assert.deepEqual(await page.evaluate<string[]>(MISFITS), [], `${path} at ${width} pixels`);
      }
    }
  });

  await t.test(`${MANY} sessions`, async (each) => {
    await standInSessions(each, server.runDirectory, MANY);
    const program = new ConsoleClient(await makeToken(server, 'waiter', 'view'));
    await until('the console to have found them', async () => {
      const { sessions } = await program.get<Status>('/status');
      return sessions.total === MANY + 2;
    });
    const { context, page, complaints } = await openPage(browser);
    each.after(async () => context.close());
    const octets = await wireOctets(page);
    await open(page, '/sessions');
    await logIn(page, 'boss', CONSOLE_PASSWORD);
    await page.getByText(`${(MANY + 2).toLocaleString('en')} sessions`).waitFor();
    await page.locator('table.sessions').waitFor();
    assert.ok(octets() < MOST_OCTETS, `the first view took ${octets()} octets`);

    const rows = page.locator('table.sessions tbody tr:not(.space)');
    assert.ok((await rows.count()) <= MOST_ROWS, `${await rows.count()} rows exist`);
    assert.equal(await page.locator('table.sessions').getAttribute('aria-rowcount'), String(MANY + 3));
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    await page.getByRole('link', { name: `user${MANY - 1}`, exact: true }).waitFor();
    assert.ok((await rows.count()) <= MOST_ROWS, `${await rows.count()} rows exist at the end`);
    await page.getByRole('searchbox').fill('user777');
    await page.getByText(`1 of ${(MANY + 2).toLocaleString('en')} sessions`).waitFor();
    assert.equal(await rows.count(), 1);
    await page.getByRole('button', { name: 'Disconnect user777' }).click();
    await page.locator('dialog[open]').getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('No session matches').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('button', { name: 'User', exact: true }).click();
    await page.locator('th[aria-sort=ascending]', { hasText: 'User' }).waitFor();
    await open(page, `/sessions/${standInId(5)}`);
    await page.locator('h1', { hasText: 'user5' }).waitFor();
    await open(page, '/');
    await page
      .locator('.tiles')
      .getByText((MANY + 1).toLocaleString('en'), { exact: false })
      .first()
      .waitFor();
    assert.deepEqual(complaints, []);
  });
});

/** Presses Tab until the element with this text or label has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 100; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate<string>(
      `(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '').trim()`,
    );
    // The link to the sessions also has their number.
    if (focused.replace(/\d+$/, '').trim() === name) return;
  }
  assert.fail(`100 times Tab does not reach “${name}”`);
}

/** Counts the octets of all answers as they cross the wire; those of the stream of events as they arrive. */
async function wireOctets(page: Page): Promise<() => number> {
  const protocol = await page.context().newCDPSession(page);
  await protocol.send('Network.enable');
  const octets = new Map<string, number>();
  protocol.on('Network.dataReceived', ({ requestId, encodedDataLength }) =>
    octets.set(requestId, (octets.get(requestId) ?? 0) + encodedDataLength),
  );
  // The total, with the headers.
  protocol.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
    octets.set(requestId, encodedDataLength),
  );
  return () => Array.from(octets.values()).reduce((sum, each) => sum + each, 0);
}
