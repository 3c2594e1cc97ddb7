/**
 * A tab that nobody has looked at for so long, in ms, gives its stream back: over HTTP/1.1 a browser has about six
 * connections to a service for all of its tabs, and the next one would wait for ever.
 */
const HIDDEN_MS = 5 * 60_000;

/** Runs something while the tab is looked at: it is aborted after a while in the background, and begun again. */
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
  // A tab may be opened in the background, which is no change.
  look();
}
