import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from '../refusals.ts';
import { PATIENCE_MS } from './client/call-batcher.ts';
import { faultOf } from './client/fault.ts';

/** The pause between attempts, in ms: an election takes several. */
const RETRY_MS = 200;

/** Retries while the failure is transient, for as long as a call may take. `attempt` gets the number of failures. */
export async function patiently<T>(
  attempt: (failures: number) => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const due = performance.now() + patienceMs;
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt(failures);
    } catch (error) {
      const fault = faultOf(error);
      if (!fault.passing || performance.now() + RETRY_MS > due) {
        throw fault.isOwn ? error : unavailable(fault.cause, error);
      }
      await sleep(RETRY_MS);
    }
  }
}
