import type { Missing } from './etcd-binaries.mjs';

export function findChromium(): Promise<
  { readonly chromium: string; readonly missing?: undefined } | Missing
>;
export function installChromium(): Promise<string | undefined>;
