import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a condition holds. Fails with its name after a generous time. */
export async function waitFor(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() >= deadline) {
      assert.fail(`waited ${timeoutMs / 1000} s for ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(10);
  }
}
