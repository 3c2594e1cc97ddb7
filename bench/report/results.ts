import type { BootstrapResult } from '../measure/bootstrap.ts';
import type { CallsRow } from '../measure/call-rows.ts';
import type { GeneratorRow } from '../measure/other-generators.ts';
import type { PaceRow } from '../measure/pace.ts';
import type { StartResult } from '../measure/start.ts';
import type { TokensRow } from '../measure/tokens.ts';
import type { WaitersRow } from '../measure/waiters.ts';

/** All measurements. Undefined: not requested, or the programs are missing. */
export interface Results {
  readonly calls?: readonly CallsRow[] | undefined;
  readonly overEtcd?: readonly CallsRow[] | undefined;
  readonly pace?: readonly PaceRow[] | undefined;
  readonly others?: readonly GeneratorRow[] | undefined;
  readonly waiters?: readonly WaitersRow[] | undefined;
  readonly bootstrap?: BootstrapResult | undefined;
  readonly start?: StartResult | undefined;
  readonly tokens?: readonly TokensRow[] | undefined;
}
