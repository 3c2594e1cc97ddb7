/**
 * Calls `leave` once: when the signal aborts, or when the function that it returns is called. Generators need both, as
 * one that is parked at a yield never reaches its `finally`.
 */
export function onEnd(signal: AbortSignal, leave: () => void): () => void {
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    signal.removeEventListener('abort', end);
    leave();
  };
  signal.addEventListener('abort', end);
  return end;
}
