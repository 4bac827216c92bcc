/** Goes through the console's page as an administrator does, and leaves a picture of each view in a folder. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { assertAccessible, logIn, PHONE } from './browser.js';

/** Each view, and what is there when its data is. */
const VIEWS = [
  { name: 'sessions', path: '/sessions', data: 'table.sessions .line-down[d^=M]' },
  { name: 'failures', path: '/failures', data: '.failure .remedy' },
  { name: 'users', path: '/users', data: 'table.users tbody tr' },
  { name: 'history', path: '/history', data: 'table.history tbody tr' },
  { name: 'server', path: '/server', data: '.checks li, .empty' },
  // Last: its chart has begun by then.
  { name: 'overview', path: '/', data: '.chart canvas' },
] as const;

async function show(page: Page, folder: string, name: string): Promise<void> {
  await assertAccessible(page, name);
  await page.screenshot({ path: `${folder}/console-${name}.png` });
}

/** The link to the user's session, in the table. */
const sessionOf = (page: Page, user: string): Locator =>
  page.locator('table.sessions').getByRole('link', { name: user, exact: true });

/**
 * `users` are those who are connected, each once: dave's session is looked at, bob's is disconnected. At least one login has
 * failed, and one session is over.
 */
export async function tour(
  page: Page,
  origin: string,
  { name, password }: { readonly name: string; readonly password: string },
  users: readonly string[],
  folder: string,
): Promise<void> {
  await page.goto(`${origin}/`);
  await page.locator('.login form').waitFor();
  await show(page, folder, 'login');
  await logIn(page, name, password);
  for (const { name: view, path, data } of VIEWS) {
    // As by a click, so that the curves go on.
    await page.locator(`nav a[href="${path}"]`).click();
    // Attached: a curve without traffic has no height.
    await page.locator(data).first().waitFor({ state: 'attached' });
    await page.locator('body:not(:has(.loading))').waitFor();
    await show(page, folder, view);
  }
  await page.locator('nav a[href="/sessions"]').click();
  await page.getByText(`${users.length} sessions`).waitFor();
  for (const user of users) await sessionOf(page, user).waitFor();
  const cut = await page.evaluate<string[]>(
    `[...document.querySelectorAll('table.sessions tbody :is(.address, .client)')]
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ textContent }) => textContent)`,
  );
  assert.deepEqual(cut, [], 'no address is cut');
  await sessionOf(page, 'dave').click();
  await page.getByText('MPPE 128 stateless').first().waitFor();
  await page.locator('.chart canvas').waitFor();
  await show(page, folder, 'session');
  await page.locator('nav a[href="/users"]').click();
  await page.getByRole('button', { name: 'Edit bob' }).click();
  await page.locator('dialog[open]').waitFor();
  await show(page, folder, 'user');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Dark colours' }).click();
  await page.locator('nav a[href="/"]').click();
  await page.locator('ul.bars li').first().waitFor();
  await show(page, folder, 'overview-dark');
  await page.setViewportSize(PHONE);
  await page.locator('nav a[href="/sessions"]').click();
  await page.locator('table.sessions').waitFor();
  await show(page, folder, 'phone');

  await page.getByRole('button', { name: 'Disconnect bob' }).click();
  await page.locator('dialog[open]').getByRole('button', { name: 'Disconnect' }).click();
  await page.getByRole('status').getByText('bob was disconnected').waitFor();
  await sessionOf(page, 'bob').waitFor({ state: 'detached' });
  await page.getByText(`${users.length - 1} sessions`).waitFor();
}
