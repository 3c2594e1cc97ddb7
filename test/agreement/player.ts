import { parentPort, workerData } from 'node:worker_threads';
import { playMany } from './play-many.ts';
import { memoryData } from './setup.ts';

/** Random stories over the store in memory. */
export interface StoriesOrder {
  readonly seed: number;
  readonly count: number;
}

const { seed, count } = workerData as StoriesOrder;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage({ failure: await playMany(seed, count, { newData: memoryData }) });
