import { ByteCache, type Made } from '../byte-cache.ts';
import { WORK_LIMITS } from '../limits.ts';
import { ownTurn } from '../own-turn.ts';
import { units, type Work } from '../work.ts';
import type { View } from './cluster.ts';
import { asHtml, toHtml } from './view/html.ts';
import type { VElement } from './view/node.ts';
import { comersSections, type TokenPlace } from './view/token.ts';

/** Members from which drawing a page takes half a millisecond. */
const LARGE = 25;

/** What is drawn, and when: in a second all of it shows the same. */
interface Scene {
  readonly view: View;
  readonly now: number;
}

/** What makes pages of the same scene differ. */
export type Place = TokenPlace;

/** Pages of large clusters, for all who ask for the same within a second: whole ones, and those who have come on others. */
export class SharedPages {
  readonly #pages = new ByteCache<Drawn<Buffer>>(WORK_LIMITS.renderedBytes / 2);
  readonly #comers = new ByteCache<Drawn<readonly VElement[]>>(WORK_LIMITS.renderedBytes / 2);

  /** A small page is drawn at once; a large one in a turn of its own, unless it was drawn a moment before. */
  async html(
    scene: { readonly view: View | undefined; readonly now: number },
    { token, serviceUrl, root }: Place,
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

function keep<T>(cache: ByteCache<Drawn<T>>, key: unknown, scene: Scene, { value, bytes }: Made<T>): void {
  cache.set(key, { value: { scene, value }, bytes });
}
