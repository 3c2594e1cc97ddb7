const CHECK_MS = 20;
const TRIES = 4;

/**
 * Runs a test that depends on timeouts of about a second on both sides in this process. If it fails and the process
 * was stalled for longer than `toleratedMs` meanwhile, the machine was too busy: runs it again from the start.
 */
export async function retryIfStalled(toleratedMs: number, body: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    let last = performance.now();
    let longest = 0;
    const check = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    };
    const timer = setInterval(check, CHECK_MS).unref();
    try {
      await body();
      return;
    } catch (error) {
      check();
      if (longest < toleratedMs || tries === TRIES) throw error;
      console.log(`retrying, because nothing ran here for ${Math.round(longest)} ms: ${String(error)}`);
    } finally {
      clearInterval(timer);
    }
  }
}
