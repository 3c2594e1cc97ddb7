import assert from 'node:assert/strict';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';

// Plain JavaScript that is not compiled to dist/, because `npm test` uses it before dist/ exists.
const TOOL = new URL('../../../test/tools/chromium.mjs', import.meta.url);
const tool = (await import(TOOL.href)) as typeof import('../tools/chromium.mjs');

/** How long a browser may take for anything on a busy machine. */
export const PATIENCE_MS = 90_000;

/** The path of Chromium, or why it is missing. */
export const CHROMIUM = await tool.findChromium();

/** Starts the browser. */
export async function launch(): Promise<Browser> {
  if (CHROMIUM.missing !== undefined) throw new Error(CHROMIUM.missing);
  // Its sandbox does not work as root, which CI runs as.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: CHROMIUM.chromium, args, timeout: PATIENCE_MS });
}

/** A page, with a record of everything that goes wrong in it. */
export interface Tab {
  readonly page: Page;
  /** The page's requests, as method and URL. */
  readonly requests: readonly string[];
  /** Closes the tab. Fails if there was an error, a policy violation, or a request to another site. */
  close(): Promise<void>;
}

/** Options of a tab. `bear` matches console messages that the test provokes. */
export interface TabOptions extends BrowserContextOptions {
  readonly bear?: RegExp;
}

/** Opens a tab in its own browser session. */
export async function openTab(browser: Browser, url: string, options: TabOptions = {}): Promise<Tab> {
  const { bear, ...contextOptions } = options;
  const context = await browser.newContext({ viewport: { width: 1200, height: 850 }, ...contextOptions });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const wrong: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => {
    // A violation of the Content-Security-Policy is also an error on the console.
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

/** Locates a text that the page shows. The same text may come earlier in the announcements to screen readers. */
export function shown(page: Page, text: string): Locator {
  return page.getByText(text).and(page.locator(':not(#announcer)')).first();
}

/** Waits until the page shows a text. */
export async function sees(page: Page, text: string): Promise<void> {
  await shown(page, text).waitFor();
}
