import type { ContextValues } from '@connectrpc/connect';
import { tokenBytes } from '../discovery/bytes.ts';
import type { Written } from '../discovery/store.ts';
import { type ChangeKind, QUOTA } from './caller.ts';

/** What a change will take, as far as it can be told before. */
export interface Spending {
  readonly bytes: number;
  readonly kind?: ChangeKind;
}

/**
 * Makes a change of what its caller may have stored: taken before, as many may be under way, and set right by what was
 * stored. A change that was refused, or not needed, takes nothing.
 */
export async function spend<W extends Written>(
  values: ContextValues,
  { bytes, kind = 'OF_TOKEN' }: Spending,
  change: () => Promise<W>,
): Promise<W> {
  const settle = values.get(QUOTA).change(bytes, kind);
  let stored = 0;
  try {
    const written = await change();
    stored = storedBytes(written);
    return written;
  } finally {
    settle(stored);
  }
}

function storedBytes({ changed, cluster, before }: Written): number {
  if (!changed) return 0;
  return tokenBytes(cluster) - (before === undefined ? 0 : tokenBytes(before));
}
