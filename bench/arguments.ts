import { parseArgs } from 'node:util';
import type { BootstrapPlan } from './bootstrap.ts';
import type { CallsPlan } from './calls.ts';
import type { InProcessPlan } from './in-process.ts';
import type { StoresPlan } from './stores.ts';
import type { WaitersPlan } from './waiters.ts';

const USAGE = `usage: npm run bench -- [--quick] [--only TEXT] [--store embedded|etcd] [--waiters NUMBER]
                       [--json FILE] [--compare FILE]
  --quick            about two minutes: shows that it works, and roughly how fast the service is
  --only TEXT        only what has TEXT in its name, like "v3" or "in process"
  --store etcd       the service keeps its tokens in an etcd that is started for it (default: embedded)
  --waiters NUMBER   how many wait at once (default 5000; with --quick 500)
  --json FILE        writes every number to FILE as well
  --compare FILE     says what has changed since the run that FILE was written by`;

export interface Plan {
  /** Undefined: not wanted. */
  readonly calls: CallsPlan | undefined;
  readonly waiters: WaitersPlan | undefined;
  readonly stores: StoresPlan | undefined;
  readonly bootstrap: BootstrapPlan | undefined;
  readonly inProcess: InProcessPlan | undefined;
}

export interface Arguments {
  readonly plan: Plan;
  readonly jsonFile: string | undefined;
  readonly compareFile: string | undefined;
}

/** Of those who wait at once: one, and those of a large cluster. The most are for --waiters to say. */
const FEW_WAITERS = [1, 100];

/** Prints the usage and ends the process when it is asked for or the arguments are wrong. */
export function readArguments(): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string', default: '' },
        store: { type: 'string', default: 'embedded' },
        waiters: { type: 'string' },
        json: { type: 'string' },
        compare: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const { quick, only, store } = values;
    if (store !== 'embedded' && store !== 'etcd') {
      throw new Error(`--store ${store}: takes embedded or etcd`);
    }
    const waiters = Number(values.waiters ?? (quick ? 500 : 5000));
    if (!Number.isInteger(waiters) || waiters < 1 || waiters > 15_000) {
      throw new Error(`--waiters ${values.waiters}: takes a whole number from 1 to 15000`);
    }
    const counts = [...FEW_WAITERS.filter((few) => few < waiters), waiters];
    const isWanted = (name: string): boolean => name.toLowerCase().includes(only.toLowerCase());
    const plan: Plan = {
      calls: {
        ...(quick
          ? { rounds: 2, inFlight: [1, 32, 256], slotMs: 60, warmUpMs: 50 }
          : { rounds: 5, inFlight: [1, 32, 256, 2000], slotMs: 400, warmUpMs: 200 }),
        isWanted,
        store,
      },
      waiters: { rounds: quick ? 1 : 3, counts, isWanted, store },
      stores: isWanted('bare stores')
        ? { rounds: quick ? 2 : 5, inFlight: [1, 32, 256], ms: quick ? 100 : 400 }
        : undefined,
      bootstrap: isWanted('bootstrap of 3 nodes')
        ? { rounds: quick ? 2 : 15, warmUps: quick ? 1 : 5 }
        : undefined,
      inProcess: isWanted('in process')
        ? { rounds: quick ? 2 : 5, calls: quick ? 50_000 : 300_000 }
        : undefined,
    };
    return { plan, jsonFile: values.json, compareFile: values.compare };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}
