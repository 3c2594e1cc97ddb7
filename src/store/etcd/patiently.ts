import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from '../refusals.ts';
import { PATIENCE_MS } from './client/call-batcher.ts';
import { faultOf } from './client/fault.ts';

/** The pause between attempts, in ms: an election takes several. */
const RETRY_MS = 200;

/** Retries while the failure is transient, for as long as a call may take. */
export async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const due = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const fault = faultOf(error);
      if (!fault.passing || performance.now() + RETRY_MS > due) {
        throw fault.isOwn ? error : unavailable(fault.cause, error);
      }
      await sleep(RETRY_MS);
    }
  }
}
