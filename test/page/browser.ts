import assert from 'node:assert/strict';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';

// Plain JavaScript that is not compiled to dist/, as `npm test` uses it before there is one.
const TOOL = new URL('../../../test/tools/chromium.mjs', import.meta.url);
const tool = (await import(TOOL.href)) as typeof import('../tools/chromium.mjs');

/** How long a browser may take for anything, on a machine that has much to do. */
export const PATIENCE_MS = 90_000;

/** Where Chromium is, or why there is none. */
export const CHROMIUM = await tool.findChromium();

/** Starts the browser that is there. */
export async function launch(): Promise<Browser> {
  if (CHROMIUM.missing !== undefined) throw new Error(CHROMIUM.missing);
  // Its sandbox does not work for root, which CI is.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: CHROMIUM.chromium, args, timeout: PATIENCE_MS });
}

/** A page with all that goes wrong in it. */
export interface Tab {
  readonly page: Page;
  /** What the page asked for, as method and URL. */
  readonly requests: readonly string[];
  /** Fails when there was an error, a violation of the policy, or a request to another site. */
  close(): Promise<void>;
}

/** What a tab is told to bear: messages on its console that the test provokes. */
export interface TabOptions extends BrowserContextOptions {
  readonly bear?: RegExp;
}

/** Opens a tab of a browser session of its own. */
export async function openTab(browser: Browser, url: string, options: TabOptions = {}): Promise<Tab> {
  const { bear, ...contextOptions } = options;
  const context = await browser.newContext({ viewport: { width: 1200, height: 850 }, ...contextOptions });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const wrong: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => {
    // A violation of the Content-Security-Policy is an error on the console too.
    if (message.type() === 'error' && bear?.test(message.text()) !== true) wrong.push(message.text());
  });
  page.on('dialog', (dialog) => {
    wrong.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
  await page.goto(url);
  return {
    page,
    requests,
    async close() {
      await context.close();
      assert.deepEqual(wrong, []);
      const origin = new URL(url).origin;
      assert.deepEqual(
        requests.filter((request) => new URL(request.split(' ')[1] ?? '').origin !== origin),
        [],
      );
    },
  };
}

/** Where the page shows a text. What it says to a screen reader may come before what it shows. */
export function shown(page: Page, text: string): Locator {
  return page.getByText(text).and(page.locator(':not(#announcer)')).first();
}

/** Waits until the page shows a text. */
export async function sees(page: Page, text: string): Promise<void> {
  await shown(page, text).waitFor();
}
