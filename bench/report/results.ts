import type { BootstrapResult } from '../measure/bootstrap.ts';
import type { Calls } from '../measure/calls.ts';
import type { StoresRow } from '../measure/stores.ts';
import type { SweepResult } from '../measure/sweep.ts';
import type { TokensRow } from '../measure/tokens.ts';
import type { WaitersRow } from '../measure/waiters.ts';

/** All that was measured; undefined: not wanted, or its programs are not there. */
export interface Results {
  readonly stores?: readonly StoresRow[] | undefined;
  readonly calls?: Calls | undefined;
  readonly overEtcd?: Calls | undefined;
  readonly waiters?: readonly WaitersRow[] | undefined;
  readonly bootstrap?: BootstrapResult | undefined;
  readonly tokens?: readonly TokensRow[] | undefined;
  readonly sweep?: SweepResult | undefined;
}
