import type { AssetUrls } from './view/document.ts';

/**
 * Returns URLs relative to a page below the root. Without the script, which only the page of a token needs.
 */
export function below(root: string, { style, icon }: AssetUrls): AssetUrls {
  const from = (url: string | undefined): string | undefined =>
    url === undefined || root === './' ? url : `${root}${url}`;
  return { style: from(style), icon: from(icon) };
}
