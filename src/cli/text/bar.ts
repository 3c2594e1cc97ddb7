const WIDTH = 24;

/** Draws `[########----------------]` for 1 of 3. Full only when the cluster is complete. */
export function bar(count: number, of: number): string {
  const filled = of === 0 ? 0 : Math.floor((Math.min(count, of) / of) * WIDTH);
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}]`;
}
