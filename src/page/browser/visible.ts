/**
 * A tab that has been in the background this long, in ms, closes its stream: over HTTP/1.1 a browser has
 * about six connections to a service for all of its tabs, and the next tab would wait forever.
 */
const HIDDEN_MS = 5 * 60_000;

/**
 * Runs a function while the tab is visible: it is aborted after a while in the background, and started again.
 */
export function whileVisible(run: (signal: AbortSignal) => Promise<void>, onPause: () => void): void {
  let abort = new AbortController();
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const begin = async (): Promise<void> => {
    const { signal } = (abort = new AbortController());
    await run(signal);
    over = !signal.aborted;
  };
  const look = (): void => {
    clearTimeout(timer);
    if (over) return;
    if (!document.hidden) {
      if (abort.signal.aborted) void begin();
      return;
    }
    timer = setTimeout(() => {
      if (over) return;
      abort.abort();
      onPause();
    }, HIDDEN_MS);
  };
  document.addEventListener('visibilitychange', look);
  void begin();
  // A tab may be opened in the background, which triggers no event.
  look();
}
