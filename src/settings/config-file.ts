import { createRequire } from 'node:module';
import type { Pair, Node as YamlNode } from 'yaml';
import { nearest } from '../values/nearest.ts';
import { printable, quote } from '../values/quote.ts';
import type { Given } from './read-flags.ts';
import { SETTING_ENTRIES, type Setting, type SettingKey } from './settings.ts';

/** What a configuration file says, and a line for each mistake in it. */
export interface ConfigFile {
  readonly givens: ReadonlyMap<SettingKey, Given>;
  readonly problems: readonly string[];
  /** Whether a secret stands in it, which not everybody may read then. */
  readonly hasSecret: boolean;
}

interface Key {
  readonly key: SettingKey;
  readonly setting: Setting<unknown>;
}

/** The settings by their names in a file: those of their flags, or what the flag would be called. */
const KEYS: ReadonlyMap<string, Key> = new Map(
  SETTING_ENTRIES.filter(([key]) => key !== 'config').map(([key, setting]) => [
    nameOf(setting),
    { key, setting },
  ]),
);

function nameOf({ flag, env }: Setting<unknown>): string {
  return flag ?? env.replace('DISC_', '').replaceAll('_', '-').toLowerCase();
}

/** Reads the YAML of a configuration file. `file` is its name, for the lines that say what is wrong. */
export function parseConfigFile(text: string, file: string): ConfigFile {
  const givens = new Map<SettingKey, Given>();
  const problems: string[] = [];
  const { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const at = (offset = 0): string => `${file}:${lines.linePos(offset).line}`;

  /** The text of a value, as it would stand behind a flag. Undefined, and a problem more, if there is none. */
  const textOf = (value: YamlNode | null, setting: Setting<unknown>, where: string): string | undefined => {
    if (isScalar(value) && typeof value.value === 'string' && value.value !== '') return value.value;
    if (isSeq(value) && value.items.length > 0 && setting.value.endsWith(',...')) {
      const items = value.items.map((item) => textOf(item as YamlNode, { ...setting, value: '' }, where));
      return items.some((item) => item === undefined) ? undefined : items.join(',');
    }
    const got = isAlias(value)
      ? 'an alias'
      : isMap(value)
        ? 'a mapping'
        : isSeq(value)
          ? 'a list'
          : 'no value';
    problems.push(`${where}: has ${got}; it takes ${setting.takes}`);
    return undefined;
  };

  const readPair = ({ key, value }: Pair<YamlNode, YamlNode | null>): void => {
    const where = at(key.range?.[0]);
    if (!isScalar(key) || typeof key.value !== 'string') {
      problems.push(`${where}: the name of a setting is a plain word`);
      return;
    }
    const known = KEYS.get(key.value);
    if (known === undefined) {
      problems.push(`${where}: ${quote(key.value)} is not a setting${hintFor(key.value)}`);
      return;
    }
    const before = givens.get(known.key);
    if (before !== undefined) {
      problems.push(`${where}: ${key.value} is set twice, here and at ${before.source.replace(/ .*/, '')}`);
      return;
    }
    const source = `${where} ${key.value}`;
    const written = textOf(value, known.setting, source);
    if (written !== undefined) givens.set(known.key, { source, text: written });
  };

  // Every value stays the text that it is written as: what it means is for the setting to say.
  const options = { schema: 'failsafe', uniqueKeys: false, lineCounter: lines, prettyErrors: false } as const;
  const { contents, errors, warnings } = parseDocument(text, options);
  for (const { code, message, pos } of [...errors, ...warnings])
    problems.push(`${at(pos[0])}: ${faultOf(code, message)}`);
  const isEmpty = contents === null || (isScalar(contents) && contents.value === '');
  if (isMap<YamlNode, YamlNode | null>(contents)) for (const pair of contents.items) readPair(pair);
  else if (!isEmpty && problems.length === 0)
    problems.push(`${at(contents.range?.[0])}: has no "name: value", like "addr: :8087", on each line`);
  const hasSecret = [...givens.keys()].some((key) => KEYS.get(nameOfKey(key))?.setting.flag === undefined);
  return { givens, problems, hasSecret };
}

function nameOfKey(key: SettingKey): string {
  return [...KEYS].find(([, each]) => each.key === key)?.[0] ?? '';
}

/** Of a name that is not known, what was meant. */
function hintFor(name: string): string {
  if (name === 'config') return ': a configuration file cannot name another one';
  const bare = name.replace(/^-+/, '').replace(/^DISC_/, '');
  const renamed = SETTING_ENTRIES.find(([, { old }]) => old?.flag === bare)?.[1];
  const meant = renamed === undefined ? nearest(bare, KEYS.keys()) : nameOf(renamed);
  return meant === undefined ? '; see etcd-discovery serve --help' : `; did you mean ${meant}?`;
}

/** What the parser says, where it would not speak of its own functions. */
function faultOf(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins, and one is read';
  if (message.includes('call stack')) return 'the file is nested too deep';
  return printable(message.split('\n')[0] ?? '').slice(0, 200);
}

/** Loaded when there is a file: most commands have none, and should start at once. */
function yaml(): typeof import('yaml') {
  return createRequire(import.meta.url)('yaml') as typeof import('yaml');
}
