import { h, type VElement } from './node.ts';

const SIZE = 160;
const MIDDLE = SIZE / 2;
const RADIUS = 62;
/** Fits inside the lines of a triangle. */
const PLATE = 30;
/** With more nodes an arc is drawn: dots would touch. */
const MOST_DOTS = 24;
/** With more nodes only neighbours are linked: lines between all pairs would be unreadable. */
const MOST_LINKED = 7;

/**
 * Draws the cluster: a dot for each node, with lines between registered ones. Without a count, because
 * deleting a token deletes its members, it draws none.
 */
export function ring(count: number | undefined, size: number): VElement {
  const here = count ?? 0;
  return h(
    'svg',
    { class: 'ring', viewBox: `0 0 ${SIZE} ${SIZE}`, 'aria-hidden': 'true', hidden: count === undefined },
    h('g', { class: 'lines' }, ...(size <= MOST_DOTS ? links(here, size) : arc(here, size))),
    h('g', { class: 'dots' }, ...(size <= MOST_DOTS ? dots(here, size) : [])),
    // Lines between nodes pass behind it.
    h('circle', { class: 'plate', cx: MIDDLE, cy: MIDDLE, r: PLATE }),
    h('text', { class: 'count', x: MIDDLE, y: MIDDLE + 3 }, String(here)),
    h('text', { class: 'of', x: MIDDLE, y: MIDDLE + 21 }, `of ${size}`),
  );
}

type Point = readonly [x: number, y: number];

const round = (value: number): number => Math.round(value * 10) / 10;

function place(index: number, size: number): Point {
  const angle = (2 * Math.PI * index) / size - Math.PI / 2;
  return [round(MIDDLE + RADIUS * Math.cos(angle)), round(MIDDLE + RADIUS * Math.sin(angle))];
}

function dots(count: number, size: number): VElement[] {
  const r = size <= 9 ? 9 : size <= 15 ? 7 : 5;
  return Array.from({ length: size }, (_, index) => {
    const [cx, cy] = place(index, size);
    return h('circle', { cx, cy, r, class: index < count ? 'in' : 'free' });
  });
}

function links(count: number, size: number): VElement[] {
  const lines: VElement[] = [];
  for (let a = 0; a < count; a += 1) {
    for (let b = a + 1; b < count; b += 1) {
      const neighbours = b === a + 1 || (a === 0 && b === size - 1);
      if (size > MOST_LINKED && !neighbours) continue;
      const [[x1, y1], [x2, y2]] = [place(a, size), place(b, size)];
      lines.push(h('line', { x1, y1, x2, y2 }));
    }
  }
  return lines;
}

function arc(count: number, size: number): VElement[] {
  const length = 2 * Math.PI * RADIUS;
  const circle = { cx: MIDDLE, cy: MIDDLE, r: RADIUS, fill: 'none' };
  return [
    h('circle', { ...circle, class: 'track' }),
    h('circle', {
      ...circle,
      class: 'arc',
      'stroke-dasharray': `${round((length * count) / size)} ${round(length)}`,
      transform: `rotate(-90 ${MIDDLE} ${MIDDLE})`,
    }),
  ];
}
