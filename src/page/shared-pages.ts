import { ByteCache, type CachedValue } from '../byte-cache.ts';
import { WORK_LIMITS } from '../limits.ts';
import { ownTurn } from '../own-turn.ts';
import { units, type Work } from '../work.ts';
import type { ClusterView } from './cluster.ts';
import { asHtml, toHtml } from './view/html.ts';
import type { VElement } from './view/node.ts';
import { comersSections, type TokenPlace } from './view/token.ts';

/** From this many members, drawing a page takes half a millisecond. */
const LARGE = 25;

/** Scene is the content of a page and its time: all drawings within a second are equal. */
interface Scene {
  readonly view: ClusterView;
  readonly now: number;
}

/** PagePlace is what distinguishes pages of the same scene. */
export type PagePlace = TokenPlace;

/**
 * SharedPages caches pages of large clusters for requests within a second: whole pages, and their lists of
 * members for other pages.
 */
export class SharedPages {
  readonly #pages = new ByteCache<Drawn<Buffer>>(WORK_LIMITS.renderedBytes / 2);
  readonly #comers = new ByteCache<Drawn<readonly VElement[]>>(WORK_LIMITS.renderedBytes / 2);

  /** Draws a small page at once, a large one in a separate turn unless it was just drawn. */
  async html(
    scene: { readonly view: ClusterView | undefined; readonly now: number },
    { token, serviceUrl, root }: PagePlace,
    draw: (comers?: readonly VElement[]) => string,
    work: Work,
  ): Promise<string | Buffer> {
    const { view, now } = scene;
    if (view === undefined || view.members.length < LARGE) return draw();
    const key = `${serviceUrl} ${root} ${token}`;
    const find = (): Buffer | undefined => found(this.#pages, key, { view, now });
    const known = find();
    if (known !== undefined) return known;
    await ownTurn();
    const meanwhile = find();
    if (meanwhile !== undefined) return meanwhile;
    const html = Buffer.from(draw(this.#comersOf({ view, now }, work)));
    work.owe(units(html.length, WORK_LIMITS.sentBytes));
    keep(this.#pages, key, { view, now }, { value: html, bytes: html.length });
    return html;
  }

  #comersOf(scene: Scene, work: Work): readonly VElement[] {
    const { view, now } = scene;
    const known = found(this.#comers, view.members, scene);
    if (known !== undefined) return known;
    const value = comersSections(view, { now, timeZone: 'UTC' }).map(asHtml);
    const bytes = value.reduce((sum, section) => sum + toHtml(section).length, 0);
    work.owe(units(bytes, WORK_LIMITS.pageBytes));
    keep(this.#comers, view.members, scene, { value, bytes });
    return value;
  }
}

interface Drawn<T> {
  readonly scene: Scene;
  readonly value: T;
}

function found<T>(cache: ByteCache<Drawn<T>>, key: unknown, { view, now }: Scene): T | undefined {
  const drawn = cache.get(key);
  if (drawn === undefined || drawn.scene.now !== now) return undefined;
  const { members, cluster } = drawn.scene.view;
  return members === view.members && cluster === view.cluster ? drawn.value : undefined;
}

function keep<T>(
  cache: ByteCache<Drawn<T>>,
  key: unknown,
  scene: Scene,
  { value, bytes }: CachedValue<T>,
): void {
  cache.set(key, { value: { scene, value }, bytes });
}
