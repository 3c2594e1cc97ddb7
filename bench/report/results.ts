import type { BootstrapResult } from '../measure/bootstrap.ts';
import type { Calls } from '../measure/calls.ts';
import type { InProcessResult } from '../measure/in-process.ts';
import type { GeneratorRow } from '../measure/load-generator.ts';
import type { RuntimesRow } from '../measure/runtimes.ts';
import type { StoresRow } from '../measure/stores.ts';
import type { SweepResult } from '../measure/sweep.ts';
import type { TokensRow } from '../measure/tokens.ts';
import type { WaitersRow } from '../measure/waiters.ts';

/** All that was measured; undefined: not wanted, or its programs are not there. */
export interface Results {
  readonly inProcess?: InProcessResult | undefined;
  readonly stores?: readonly StoresRow[] | undefined;
  readonly calls?: Calls | undefined;
  readonly overEtcd?: Calls | undefined;
  readonly generator?: readonly GeneratorRow[] | undefined;
  readonly waiters?: readonly WaitersRow[] | undefined;
  readonly bootstrap?: BootstrapResult | undefined;
  readonly tokens?: readonly TokensRow[] | undefined;
  readonly sweep?: SweepResult | undefined;
  readonly runtimes?: readonly RuntimesRow[] | undefined;
}
