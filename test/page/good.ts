import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** axe-core's rules that depend on colours and on the size of the window. */
export const LOOKS_DIFFER = [
  'color-contrast',
  'link-in-text-block',
  'scrollable-region-focusable',
  'target-size',
];

interface AxeResults {
  readonly violations: ReadonlyArray<{
    id: string;
    nodes: ReadonlyArray<{ html: string; failureSummary: string }>;
  }>;
}

/** Fails if the page is inaccessible, or wider than its window. `rules`: axe-core's rules to check; undefined: all. */
export async function expectGood(
  page: Page,
  where: string,
  rules: readonly string[] | undefined,
): Promise<void> {
  // Colours are checked after transitions have ended.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run(${JSON.stringify(rules === undefined ? {} : { runOnly: rules })})`,
  );
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
  );
  assert.deepEqual(found, [], where);
  const { scrollWidth, clientWidth } = await page.evaluate<{ scrollWidth: number; clientWidth: number }>(
    '({ scrollWidth: document.documentElement.scrollWidth, clientWidth: document.documentElement.clientWidth })',
  );
  assert.ok(scrollWidth <= clientWidth, `${where} is ${scrollWidth} wide in ${clientWidth}`);
}
