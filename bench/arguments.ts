import { parseArgs } from 'node:util';
import { type Plan, planOf } from './plan.ts';

const USAGE = `usage: npm run bench -- [--quick] [--only TEXT]... [--store embedded|etcd] [--waiters NUMBER]
                       [--data-dir DIR] [--json FILE] [--compare FILE]
  --quick            a few minutes: shows that it works, and roughly how fast the service is
  --smoke            half a minute: shows that it works, and nothing else
  --only TEXT        only what has TEXT in its name, like "v3" or "waiters"; may be given several times
  --store etcd       the service keeps its tokens in an etcd that is started for it (default: embedded)
  --waiters NUMBER   how many wait at once (default 5000; with --quick 500)
  --data-dir DIR     where stores filled with tokens are kept for the next run (default: the cache of the tests)
  --json FILE        writes every number to FILE as well
  --compare FILE     says what has changed since the run that FILE was written by`;

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
