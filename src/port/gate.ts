/** Gate decides whether a chunk of a response may be written. If not, its writer is notified. */
export interface Gate {
  lets(chunk: unknown, encoding?: unknown, done?: unknown): boolean;
}
