import { parentPort } from 'node:worker_threads';
import { explore, failureText } from './explore.ts';
import { type Budget, setupOf } from './setup.ts';

/** What to explore: a size, and the dialects of the nodes: a 2 for v2, a 3 for v3. */
export interface ExplorationOrder {
  readonly size: number;
  readonly dialects: string;
  readonly budget: Partial<Budget>;
}

export interface Explored {
  readonly states: number;
  readonly stories: number;
  readonly failure: string | undefined;
}

async function explored({ size, dialects, budget }: ExplorationOrder): Promise<Explored> {
  const setup = setupOf(size, dialects, budget);
  const { states, stories, failure } = await explore(setup);
  return { states, stories, failure: failure && failureText(setup.name, failure) };
}

// An exception ends the thread, and fails the waiting test.
parentPort?.on('message', (order: ExplorationOrder) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  void explored(order).then((found) => parentPort?.postMessage(found));
});
