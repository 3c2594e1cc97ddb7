import { join } from 'node:path';
import type { BootstrapPlan, BootstrapResult } from './measure/bootstrap.ts';
import { measureCalls } from './measure/calls.ts';
import { measureWithOthers } from './measure/other-generators.ts';
import { measurePace } from './measure/pace.ts';
import { measureStart } from './measure/start.ts';
import { measureTokens } from './measure/tokens.ts';
import { measureWaiters } from './measure/waiters.ts';
import type { Plan } from './plan.ts';
import type { Results } from './report/results.ts';

/**
 * Measures the parts of the plan one after the other, with data under `path`. Continues after the failure of a part,
 * unless `failed` rejects.
 */
export async function measure(
  plan: Plan,
  path: string,
  progress: (text: string | undefined) => void,
  failed: (part: string, error: unknown) => Promise<void>,
): Promise<Results> {
  const part = async <PartPlan, Result>(
    name: string,
    wanted: PartPlan | undefined,
    run: (wanted: PartPlan, path: string, progress: (text: string) => void) => Promise<Result>,
  ): Promise<Result | undefined> => {
    if (wanted === undefined) return undefined;
    const begin = performance.now();
    try {
      const result = await run(wanted, join(path, name), progress);
      progress(undefined);
      console.error(`${name}: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
      return result;
    } catch (error) {
      await failed(name, error);
      return undefined;
    }
  };
  return {
    calls: await part('calls', plan.calls, measureCalls),
    overEtcd: await part('over-etcd', plan.overEtcd, measureCalls),
    pace: await part('pace', plan.pace, measurePace),
    others: await part('others', plan.others, measureWithOthers),
    waiters: await part('waiters', plan.waiters, measureWaiters),
    bootstrap: await part('bootstrap', plan.bootstrap, bootstrapOf),
    start: await part('start', plan.start, measureStart),
    tokens: await part('tokens', plan.tokens, measureTokens),
  };
}

/** Loaded late, because the test harness exits on a signal by itself. */
async function bootstrapOf(
  plan: BootstrapPlan,
  path: string,
  progress: (text: string) => void,
): Promise<BootstrapResult | undefined> {
  const { measureBootstrap } = await import('./measure/bootstrap.ts');
  return measureBootstrap(plan, path, progress);
}
