import { type Assets, readAssets } from '../../page/assets.ts';
import { type ErrorPage, errorPages } from '../../page/error-page.ts';

/** What the web page is made of, read once; errors of every surface are shown with the same files. */
export interface PageFiles {
  readonly assets: Assets;
  readonly errorPage: ErrorPage;
}

export function readPageFiles(): PageFiles {
  const assets = readAssets();
  return { assets, errorPage: errorPages(assets) };
}
