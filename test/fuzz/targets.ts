import type { Target } from './target.ts';
import { DATA_TARGETS } from './targets/data.ts';
import { ETCD_TARGETS } from './targets/etcd.ts';
import { SETTINGS_TARGETS } from './targets/settings.ts';

/** Every parser of outside bytes. */
export const TARGETS: readonly Target[] = [...ETCD_TARGETS, ...SETTINGS_TARGETS, ...DATA_TARGETS];
