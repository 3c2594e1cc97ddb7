import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { View } from '../cluster.ts';
import { relativeText } from '../view/time.ts';
import { type TokenPlace, tokenMain, tokenTitle } from '../view/token.ts';
import { readChoice } from './chooser.ts';
import { patch } from './patch.ts';

/** How often relative times are looked at, and how soon a tab in the background is drawn, in ms. */
const TICK_MS = 1000;

/** A page of a thousand members takes a while to draw: this many times that passes until it is drawn again. */
const REST = 8;

/** Draws the page of a token: after a burst of changes once, and when a relative time has changed. */
export class Painter {
  readonly #main: HTMLElement;
  readonly #place: TokenPlace;
  /** How far the reader's clock is ahead of the service's, which is the one that counts, in ms. */
  readonly #skew: number;
  #view: View | undefined;
  #planned = false;
  /** Not before, in ms of the page's clock. */
  #next = 0;
  #times = '';

  constructor(main: HTMLElement, place: TokenPlace) {
    this.#main = main;
    this.#place = place;
    this.#skew = Date.now() - Number(main.dataset['now'] ?? Date.now());
    main.addEventListener('input', () => this.#draw());
    document.addEventListener('visibilitychange', () => this.#draw());
    setInterval(() => this.#tick(), TICK_MS);
  }

  /** What was shown last; undefined until the service has said it. */
  get view(): View | undefined {
    return this.#view;
  }

  show(view: View): void {
    this.#view = view;
    this.#plan();
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    const draw = (): void => this.#draw();
    const rest = this.#next - performance.now();
    // A tab in the background has no frames, but a title that is looked at.
    if (document.hidden) setTimeout(draw, TICK_MS);
    else if (rest > 0) setTimeout(draw, rest);
    else requestAnimationFrame(draw);
  }

  #draw(): void {
    this.#planned = false;
    const view = this.#view;
    if (view === undefined) return;
    const begin = performance.now();
    const page = { ...this.#place, view, choice: readChoice(this.#main), clock: { now: this.#now() } };
    const focused = document.activeElement;
    patch(this.#main, tokenMain(page));
    if (focused?.closest('[hidden]'))
      this.#main.querySelector<HTMLElement>('section:not([hidden]) > [tabindex]')?.focus();
    document.title = tokenTitle(view.cluster);
    const end = performance.now();
    this.#next = end + REST * (end - begin);
  }

  #tick(): void {
    const { createTime, expireTime, deleteTime } = this.#view?.cluster ?? {};
    const shown = [createTime, expireTime, deleteTime].filter((time) => time !== undefined);
    const times = shown.map((time) => relativeText(timestampMs(time), this.#now())).join();
    if (times !== this.#times) this.#plan();
    this.#times = times;
  }

  #now(): number {
    return Date.now() - this.#skew;
  }
}
