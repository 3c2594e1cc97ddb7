import { ByteCache } from '../byte-cache.ts';
import { WORK_LIMITS } from '../limits.ts';
import { ownTurn } from '../own-turn.ts';
import { units, type Work } from '../work.ts';
import type { View } from './cluster.ts';

/** Members from which drawing a page takes half a millisecond. */
const LARGE = 25;

interface Drawn extends Pick<View, 'cluster' | 'members'> {
  readonly now: number;
  readonly html: Buffer;
}

/** Pages of large clusters, for all who ask for the same within a second. */
export class SharedPages {
  readonly #drawn = new ByteCache<Drawn>(WORK_LIMITS.renderedBytes);

  /**
   * The page by what tells it from others of the same view. A small one is drawn at once; a large one in a turn of its
   * own, unless it was drawn a moment before, and at the cost of who asks first.
   */
  async html(
    view: View | undefined,
    name: readonly [now: number, ...texts: string[]],
    draw: () => string,
    work: Work,
  ): Promise<string | Buffer> {
    if (view === undefined || view.members.length < LARGE) return draw();
    const [now, ...texts] = name;
    const key = texts.join('\n');
    const find = (): Buffer | undefined => {
      const found = this.#drawn.get(key);
      const isSame = found?.now === now && found.members === view.members && found.cluster === view.cluster;
      return isSame ? found.html : undefined;
    };
    const known = find();
    if (known !== undefined) return known;
    await ownTurn();
    const meanwhile = find();
    if (meanwhile !== undefined) return meanwhile;
    const html = Buffer.from(draw());
    work.owe(units(html.length, WORK_LIMITS.pageBytes));
    const { cluster, members } = view;
    this.#drawn.set(key, { value: { cluster, members, now, html }, bytes: html.length });
    return html;
  }
}
