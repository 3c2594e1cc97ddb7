import { ACCESS } from './tables/access.ts';
import type { Flag } from './tables/flag.ts';
import { LIMITS } from './tables/limits.ts';
import { NETWORK } from './tables/network.ts';
import { RUNNING } from './tables/running.ts';
import type { Setting } from './tables/setting.ts';
import { STORAGE } from './tables/storage.ts';
import { TOKENS } from './tables/tokens.ts';

export type { PresetSetting, Setting } from './tables/setting.ts';

/** The headings of `serve --help`. */
export const SETTING_GROUPS = {
  Network: NETWORK,
  Access: ACCESS,
  Storage: STORAGE,
  Tokens: TOKENS,
  Limits: LIMITS,
  Running: RUNNING,
} as const;

/** Every setting. Parsing, `serve --help` and its documentation are derived from this. */
export const SETTINGS = { ...NETWORK, ...ACCESS, ...STORAGE, ...TOKENS, ...LIMITS, ...RUNNING } as const;

export type SettingKey = keyof typeof SETTINGS;

export const SETTING_ENTRIES = Object.entries(SETTINGS) as ReadonlyArray<[SettingKey, Setting<unknown>]>;

/** Returns the settings that have a flag. */
export function flagsOf(settings: readonly Setting<unknown>[]): Array<Flag<unknown>> {
  return settings.filter(
    (setting): setting is Setting<unknown> & Flag<unknown> => setting.flag !== undefined,
  );
}
