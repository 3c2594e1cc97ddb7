import { parseArgs } from 'node:util';
import { type Plan, planOf } from './plan.ts';

const USAGE = `usage: npm run bench -- [--quick] [--only TEXT]... [--store embedded|etcd] [--waiters NUMBER]
                       [--data-dir DIR] [--json FILE] [--compare FILE]
  --quick            takes a few minutes, for a rough result
  --smoke            takes half a minute, only to check that the benchmark works
  --only TEXT        measures only names that contain TEXT, like "v3" or "waiters"; can be repeated
  --store etcd       stores tokens in an etcd started for the run (default: embedded)
  --waiters NUMBER   number of concurrent waiters (default: 5000; with --quick 500)
  --data-dir DIR     directory that keeps filled stores for the next run (default: the tests' cache)
  --json FILE        also writes all numbers to FILE
  --compare FILE     compares the results with those in FILE, written by --json`;

export interface Arguments {
  readonly plan: Plan;
  readonly jsonFile: string | undefined;
  readonly compareFile: string | undefined;
}

/** Prints the usage and ends the process if the arguments ask for it or are wrong. */
export function readArguments(defaultCache: string): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        smoke: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        store: { type: 'string', default: 'embedded' },
        waiters: { type: 'string' },
        'data-dir': { type: 'string', default: defaultCache },
        json: { type: 'string' },
        compare: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const { quick, smoke, only, store } = values;
    if (store !== 'embedded' && store !== 'etcd') {
      throw new Error(`--store ${store}: must be embedded or etcd`);
    }
    const waiters = values.waiters === undefined ? undefined : Number(values.waiters);
    if (waiters !== undefined && !(Number.isInteger(waiters) && waiters >= 1 && waiters <= 15_000)) {
      throw new Error(`--waiters ${values.waiters}: must be a whole number from 1 to 15000`);
    }
    const size = smoke ? 'smoke' : quick ? 'quick' : 'full';
    const plan = planOf({ size, only, store, waiters, cache: values['data-dir'] });
    return { plan, jsonFile: values.json, compareFile: values.compare };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}
