/** Goes through the console's page as an administrator does: `browse.js FOLDER` leaves a picture of each view there. */
import type { Page } from 'playwright-core';
import { assertAccessible, DESKTOP, launchBrowser, logIn, openPage, PHONE } from '../../process/support/browser.js';

const ORIGIN = 'http://127.0.0.1:8723';
const PASSWORD = 'correct horse battery';
const [folder = '.'] = process.argv.slice(2);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Each view, and what is there when its data is. */
const VIEWS = [
  { name: 'overview', path: '/', data: 'ul.bars li' },
  { name: 'sessions', path: '/sessions', data: 'table.sessions .line-down[d^=M]' },
  { name: 'failures', path: '/failures', data: '.failure .remedy' },
  { name: 'users', path: '/users', data: 'table.users tbody tr' },
  { name: 'history', path: '/history', data: 'table.history tbody tr' },
  { name: 'server', path: '/server', data: '.checks li, .empty' },
] as const;

async function show(page: Page, name: string): Promise<void> {
  await assertAccessible(page, name);
  await page.screenshot({ path: `${folder}/console-${name}.png` });
  say(`console-${name}.png`);
}

const browser = await launchBrowser();
const { page, complaints } = await openPage(browser, { viewport: { ...DESKTOP, height: 900 } });
await page.goto(`${ORIGIN}/`);
await page.locator('.login form').waitFor();
await show(page, 'login');
await logIn(page, 'admin', PASSWORD);
for (const { name, path, data } of VIEWS) {
  // As by a click, so that the curves go on.
  await page.locator(`nav a[href="${path}"]`).click();
  await page.locator(data).first().waitFor();
  await page.locator('.loading').waitFor({ state: 'detached' });
  await show(page, name);
}
await page.locator('nav a[href="/sessions"]').click();
await page.getByRole('link', { name: 'dave' }).click();
await page.getByText('MPPE 128 stateless').first().waitFor();
await page.locator('.chart canvas').waitFor();
await show(page, 'session');
await page.locator('nav a[href="/users"]').click();
await page.getByRole('button', { name: 'Edit bob' }).click();
await page.locator('dialog[open]').waitFor();
await show(page, 'user');
await page.keyboard.press('Escape');

await page.getByRole('button', { name: 'Dark colours' }).click();
await page.locator('nav a[href="/"]').click();
await page.locator('ul.bars li').first().waitFor();
await show(page, 'overview-dark');
await page.setViewportSize(PHONE);
await page.locator('nav a[href="/sessions"]').click();
await page.locator('table.sessions').waitFor();
await show(page, 'phone');

await page.getByRole('button', { name: 'Disconnect bob' }).click();
await page.locator('dialog[open]').getByRole('button', { name: 'Disconnect' }).click();
await page.getByRole('status').getByText('bob was disconnected').waitFor();
say('bob was disconnected in the page');
await browser.close();
if (complaints.length > 0) throw new Error(complaints.join('\n'));
