import { ACCESS } from './settings/access.ts';
import { LIMITS } from './settings/limits.ts';
import { NETWORK } from './settings/network.ts';
import { RUNNING } from './settings/running.ts';
import { STORAGE } from './settings/storage.ts';
import { TOKENS } from './settings/tokens.ts';

export type { PresetSetting, Setting } from './settings/setting.ts';

/** Every setting. The parsing, `serve --help` and the table in the README are made from this. */
export const SETTINGS = { ...NETWORK, ...ACCESS, ...STORAGE, ...TOKENS, ...LIMITS, ...RUNNING } as const;

export type SettingKey = keyof typeof SETTINGS;
