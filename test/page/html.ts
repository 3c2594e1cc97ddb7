import assert from 'node:assert/strict';
import { readAssets } from '../../src/page/assets.ts';

/** The Accept header of a browser. */
export const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

/** Sends a request like a browser, without following redirects. */
export function openAsBrowser(
  url: string,
  { headers, ...init }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(url, { redirect: 'manual', ...init, headers: { accept: BROWSER, ...headers } });
}

/** Returns the files that the page loads. Fails if only `tsc` was run. */
export function builtAssets(): ReturnType<typeof readAssets> {
  const assets = readAssets();
  assert.equal(assets.files.size, 3, 'the page is not bundled: run node src/dev/bundle.mjs');
  return assets;
}
