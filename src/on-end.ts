/**
 * Calls `leave` once: when the signal aborts, or when the returned function is called. Generators need both,
 * because one that is suspended at a yield never reaches its `finally`.
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
