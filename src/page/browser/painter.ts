import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { ClusterView } from '../cluster.ts';
import { relativeText } from '../view/time.ts';
import { type TokenPlace, tokenMain, tokenTitle } from '../view/token.ts';
import { readChoice } from './chooser.ts';
import { patch } from './patch.ts';

/** The interval in ms for updating relative times, and the delay before a background tab is redrawn. */
const TICK_MS = 1000;

/**
 * A page of a thousand members takes a while to draw: it is redrawn after this many times its drawing time at
 * the earliest.
 */
const REST = 8;

/** Painter draws the page of a token: once after a burst of changes, and when a relative time has changed. */
export class Painter {
  readonly #main: HTMLElement;
  readonly #place: TokenPlace;
  /** How far the reader's clock is ahead of the service's, which is authoritative, in ms. */
  readonly #skew: number;
  #view: ClusterView | undefined;
  #planned = false;
  /** The earliest time for the next drawing, in ms of the page's clock. */
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

  /** Returns what was shown last. Undefined until the first response of the service. */
  get view(): ClusterView | undefined {
    return this.#view;
  }

  show(view: ClusterView): void {
    this.#view = view;
    this.#plan();
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    const draw = (): void => this.#draw();
    const rest = this.#next - performance.now();
    // A background tab gets no animation frames, but its title is visible.
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
