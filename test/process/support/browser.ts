/** Debian's chromium, driven over its own protocol, and what tests of the console's page ask it. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import axe from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const PROGRAM = '/usr/bin/chromium';
/** Milliseconds until a wait in the page fails; the machine may be busy. */
const LIMIT_MS = 90_000;

export const DESKTOP = { width: 1280, height: 820 } as const;
export const PHONE = { width: 375, height: 740 } as const;

/** As root chromium runs only without its sandbox; the only page it loads is ours. */
export const launchBrowser = async (): Promise<Browser> =>
  chromium.launch({
    executablePath: PROGRAM,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-crash-reporter'],
  });

/** It ends with the test. */
export async function startBrowser(t: TestContext): Promise<Browser> {
  const browser = await launchBrowser();
  t.after(async () => browser.close());
  return browser;
}

export interface OpenPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained about: errors of scripts, things that the Content-Security-Policy forbids. */
  readonly complaints: string[];
}

export async function openPage(
  browser: Browser,
  options: {
    readonly viewport?: { readonly width: number; readonly height: number };
    readonly colorScheme?: 'light' | 'dark';
    readonly ignoreHTTPSErrors?: boolean;
  } = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: DESKTOP,
    locale: 'en-GB',
    timezoneId: 'UTC',
    // A dialog that is still fading in has too little contrast for axe.
    reducedMotion: 'reduce',
    ...options,
  });
  context.setDefaultTimeout(LIMIT_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Refused requests are in the page, in words.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  return { context, page, complaints };
}

/** Logs in with the keyboard, as the form is focused. */
export async function logIn(page: Page, name: string, password: string): Promise<void> {
  await page.locator('.login input[name=name]:focus').waitFor();
  await page.keyboard.type(name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await page.locator('.shell').waitFor();
}

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** Asserts that axe finds nothing, and that the page is not wider than the window. */
export async function assertAccessible(page: Page, where: string): Promise<void> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate<Violation[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => ({ html })) })))`,
  );
  assert.deepEqual(violations, [], where);
  const wider = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  assert.ok(wider <= 0, `${where}: ${wider} pixels wider than the window`);
}
