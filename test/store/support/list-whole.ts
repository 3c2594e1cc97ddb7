import type { Store } from '../../../src/discovery/store.ts';
import type { Token } from '../../../src/discovery/types.ts';

/** Returns the tokens of a list read in pages, and the damaged tokens with their errors. */
export async function listWhole(
  store: Store,
  limit: number,
): Promise<{ readonly listed: Token[]; readonly damaged: Array<readonly [Token, string]> }> {
  const listed: Token[] = [];
  const damaged: Array<readonly [Token, string]> = [];
  for (;;) {
    const part = await store.list(listed.at(-1), limit, (token, { message }) =>
      damaged.push([token, message]),
    );
    if (part.length === 0) return { listed, damaged };
    listed.push(...part.map(({ token }) => token));
  }
}
