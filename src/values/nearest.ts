/** Longer words are not typing errors of names, and comparing them would be work that the caller controls. */
const LONGEST = 64;

/**
 * Returns the candidate that was most likely meant, at most a few typing errors away. Undefined if none is
 * near.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined;
  const written = fold(word);
  // Nobody who writes the version 3.8 has mistyped 3.4.
  if (!/[a-z]/.test(written)) return undefined;
  let best: string | undefined;
  // A third of the letters may be wrong, as in `wtach`; in a word of two letters, one.
  let least = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const candidate of candidates) {
    const slips = slipsBetween(written, fold(candidate));
    if (slips < least) [best, least] = [candidate, slips];
  }
  return best;
}

/** Returns the end of an error about an unknown word: `; did you mean --size?`, or an empty string. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/** Leaves out the dashes of flags, which would make all of them similar. */
function fold(text: string): string {
  return text.toLowerCase().replace(/^-+/, '').replaceAll('_', '-');
}

/** Counts inserted, missing, changed and transposed letters (optimal string alignment). */
function slipsBetween(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? (before[j - 2] ?? 0) + 1 : changed;
      row[j] = Math.min(changed, swapped, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
