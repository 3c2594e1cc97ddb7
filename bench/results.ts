import type { BootstrapResult } from './bootstrap.ts';
import type { Calls } from './calls.ts';
import type { GeneratorRow } from './generator.ts';
import type { InProcessResult } from './in-process.ts';
import type { RuntimesRow } from './runtimes.ts';
import type { StoresRow } from './stores.ts';
import type { SweepResult } from './sweep.ts';
import type { TokensRow } from './tokens.ts';
import type { WaitersRow } from './waiters.ts';

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
