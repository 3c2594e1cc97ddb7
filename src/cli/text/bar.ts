const WIDTH = 24;

/** `[########----------------]` for 1 of 3. Full only when all are there. */
export function bar(count: number, of: number): string {
  const filled = of === 0 ? 0 : Math.floor((Math.min(count, of) / of) * WIDTH);
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}]`;
}
