/** The variable that tells the probe how far the clock of its process is to be ahead. */
export const CLOCK_AHEAD_MS = 'BENCH_CLOCK_AHEAD_MS';
