import type { Target } from './target.ts';
import { CALL_TARGETS } from './targets/calls.ts';
import { DATA_TARGETS } from './targets/data.ts';
import { ETCD_TARGETS } from './targets/etcd.ts';
import { PORT_TARGETS } from './targets/port.ts';
import { SETTINGS_TARGETS } from './targets/settings.ts';
import { START_TARGETS } from './targets/start.ts';

/** Every parser of outside bytes. */
export const TARGETS: readonly Target[] = [
  ...ETCD_TARGETS,
  ...SETTINGS_TARGETS,
  ...DATA_TARGETS,
  ...CALL_TARGETS,
  ...PORT_TARGETS,
  ...START_TARGETS,
];
