import type { ContextValues } from '@connectrpc/connect';
import { tokenBytes } from '../discovery/bytes.ts';
import type { Written } from '../discovery/store.ts';
import { type ChangeKind, QUOTA } from './caller.ts';

/** Spending is the expected cost of a change, as far as it is known beforehand. */
export interface Spending {
  readonly bytes: number;
  readonly kind?: ChangeKind;
}

/**
 * Makes a change within the caller's quota. The estimate is charged first, because several changes may run at
 * once, and corrected by the bytes that were stored. A change that was rejected or unnecessary costs nothing.
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
