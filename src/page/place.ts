import type { AssetUrls } from './view/document.ts';

/** URLs relative to the root, seen from a page that is deeper. Without the script, which the page of a token needs. */
export function below(root: string, { style, icon }: AssetUrls): AssetUrls {
  const from = (url: string | undefined): string | undefined =>
    url === undefined || root === './' ? url : `${root}${url}`;
  return { style: from(style), icon: from(icon) };
}
