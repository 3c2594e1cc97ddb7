import type { BootstrapPlan, BootstrapResult } from './bootstrap.ts';
import { measureCalls } from './calls.ts';
import { measureGenerators } from './generator.ts';
import { measureInProcess } from './in-process.ts';
import type { Plan } from './plan.ts';
import type { Results } from './results.ts';
import { measureStores } from './stores.ts';
import { measureSweep } from './sweep.ts';
import { measureTokens } from './tokens.ts';
import { measureWaiters } from './waiters.ts';

/** Measures what is wanted, one part after the other, with data under `path`. */
export async function measure(plan: Plan, path: string, progress: (text: string) => void): Promise<Results> {
  return {
    inProcess: plan.inProcess && (await measureInProcess(plan.inProcess)),
    stores: plan.stores && (await measureStores(plan.stores, path, progress)),
    calls: plan.calls && (await measureCalls(plan.calls, `${path}/calls`, progress)),
    overEtcd: plan.overEtcd && (await measureCalls(plan.overEtcd, `${path}/over-etcd`, progress)),
    generator: plan.generator && (await measureGenerators(plan.generator, path, progress)),
    waiters: plan.waiters && (await measureWaiters(plan.waiters, path, progress)),
    bootstrap: plan.bootstrap && (await bootstrapOf(plan.bootstrap, path, progress)),
    tokens: plan.tokens && (await measureTokens(plan.tokens, path, progress)),
    sweep: plan.sweep && (await measureSweep(plan.sweep, path, progress)),
  };
}

/** Loaded late: the harness of the tests ends the process at a signal by itself. */
async function bootstrapOf(
  plan: BootstrapPlan,
  path: string,
  progress: (text: string) => void,
): Promise<BootstrapResult | undefined> {
  const { measureBootstrap } = await import('./bootstrap.ts');
  return measureBootstrap(plan, path, progress);
}
