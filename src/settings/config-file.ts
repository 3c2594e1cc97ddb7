import { createRequire } from 'node:module';
import type { Pair, Node as YamlNode } from 'yaml';
import { nearest } from '../values/nearest.ts';
import { printable, quote } from '../values/quote.ts';
import type { Given } from './read-flags.ts';
import { SETTING_ENTRIES, type Setting, type SettingKey } from './settings.ts';

/** ConfigFile is the contents of a configuration file, and one line for each mistake in it. */
export interface ConfigFile {
  readonly givens: ReadonlyMap<SettingKey, Given>;
  readonly problems: readonly string[];
  /** The problem, if the file could not be read. */
  readonly unreadable?: string;
  /** Whether the file contains a secret and must therefore not be readable by everyone. */
  readonly hasSecret: boolean;
}

interface Key {
  readonly key: SettingKey;
  readonly setting: Setting<unknown>;
}

/**
 * The settings by their keys in the file: the names of their flags, or the names that their flags would have.
 */
const KEYS: ReadonlyMap<string, Key> = new Map(
  SETTING_ENTRIES.filter(([key]) => key !== 'config').map(([key, setting]) => [
    nameOf(setting),
    { key, setting },
  ]),
);

function nameOf({ flag, env }: Setting<unknown>): string {
  return flag ?? env.replace('DISC_', '').replaceAll('_', '-').toLowerCase();
}

/** Parses the YAML of a configuration file. `file` is its name, for messages. */
export function parseConfigFile(text: string, file: string): ConfigFile {
  const givens = new Map<SettingKey, Given>();
  const problems: string[] = [];
  const { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const at = (offset = 0): string => `${file}:${lines.linePos(offset).line}`;

  /**
   * Returns the text of a value as it would follow a flag. Undefined, with a problem added, if there is none.
   */
  const textOf = (value: YamlNode | null, setting: Setting<unknown>, where: string): string | undefined => {
    if (isScalar(value) && typeof value.value === 'string' && value.value !== '') return value.value;
    if (isSeq(value) && value.items.length > 0 && setting.value.endsWith(',...')) {
      const items = value.items.map((item) => textOf(item as YamlNode, { ...setting, value: '' }, where));
      return items.some((item) => item === undefined) ? undefined : items.join(',');
    }
    const got = isAlias(value) ? 'alias' : isMap(value) ? 'mapping' : isSeq(value) ? 'list' : 'empty value';
    problems.push(`${where}: unexpected ${got}; expected ${setting.takes}`);
    return undefined;
  };

  const readPair = ({ key, value }: Pair<YamlNode, YamlNode | null>): void => {
    const where = at(key.range?.[0]);
    if (!isScalar(key) || typeof key.value !== 'string') {
      problems.push(`${where}: the name of a setting must be a plain word`);
      return;
    }
    const known = KEYS.get(key.value);
    if (known === undefined) {
      problems.push(`${where}: unknown setting ${quote(key.value)}${hintFor(key.value)}`);
      return;
    }
    const before = givens.get(known.key);
    if (before !== undefined) {
      problems.push(
        `${where}: ${key.value} is set twice, here and at ${before.source.replace(/: [^ ]*$/, '')}`,
      );
      return;
    }
    const source = `${where}: ${key.value}`;
    const written = textOf(value, known.setting, source);
    if (written !== undefined) givens.set(known.key, { source, text: written });
  };

  // Keeps every value as text: the setting parses it.
  const options = { schema: 'failsafe', uniqueKeys: false, lineCounter: lines, prettyErrors: false } as const;
  const { contents, errors, warnings } = parseDocument(text, options);
  for (const { code, message, pos } of [...errors, ...warnings])
    problems.push(`${at(pos[0])}: ${faultOf(code, message)}`);
  const isEmpty = contents === null || (isScalar(contents) && contents.value === '');
  if (isMap<YamlNode, YamlNode | null>(contents)) for (const pair of contents.items) readPair(pair);
  else if (!isEmpty && problems.length === 0)
    problems.push(`${at(contents.range?.[0])}: expected "name: value" on each line, like "addr: :8087"`);
  const hasSecret = [...givens.keys()].some((key) => KEYS.get(nameOfKey(key))?.setting.flag === undefined);
  return { givens, problems, hasSecret };
}

function nameOfKey(key: SettingKey): string {
  return [...KEYS].find(([, each]) => each.key === key)?.[0] ?? '';
}

/** Suggests the known name that was probably meant. */
function hintFor(name: string): string {
  if (name === 'config') return '; a configuration file cannot name another one';
  const bare = name.replace(/^-+/, '').replace(/^DISC_/, '');
  const renamed = SETTING_ENTRIES.find(([, { old }]) => old?.flag === bare)?.[1];
  const meant = renamed === undefined ? nearest(bare, KEYS.keys()) : nameOf(renamed);
  return meant === undefined ? '; see etcd-discovery serve --help' : `; did you mean ${meant}?`;
}

/** Returns the parser's message, or a replacement where it would mention the parser's own functions. */
function faultOf(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'the file has a second document; only one is allowed';
  if (message.includes('call stack')) return 'the file is nested too deeply';
  return printable(message.split('\n')[0] ?? '').slice(0, 200);
}

/** Loaded only if there is a file: most commands have none and should start fast. */
function yaml(): typeof import('yaml') {
  return createRequire(import.meta.url)('yaml') as typeof import('yaml');
}
