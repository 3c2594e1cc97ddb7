import { type Assets, readAssets } from '../../page/assets.ts';
import { type ErrorPage, errorPages } from '../../page/error-page.ts';

/** PageFiles are the files of the web page, read once. Error pages of all surfaces use them too. */
export interface PageFiles {
  readonly assets: Assets;
  readonly errorPage: ErrorPage;
}

export function readPageFiles(): PageFiles {
  const assets = readAssets();
  return { assets, errorPage: errorPages(assets) };
}
