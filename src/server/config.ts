import { parseArgs } from 'node:util';
import type { Policy } from '../discovery/limits.ts';
import type { ListenAddress } from './address.ts';
import { formatDuration } from './duration.ts';
import { SETTINGS, type Setting, type SettingKey } from './settings.ts';
import type { TlsFiles } from './tls-files.ts';

/** What the service runs with. Times in ms. */
export interface Config {
  readonly listen: ListenAddress;
  /** Undefined: replies name the service as the request did. */
  readonly publicUrl: string | undefined;
  /** Undefined: clear text. */
  readonly tls: TlsFiles | undefined;
  readonly dataDir: string;
  readonly policy: Policy;
  readonly sweepInterval: number;
  readonly pollLimit: number;
  readonly grace: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'auto' | 'json' | 'text';
}

export type Reading =
  | { readonly type: 'CONFIG'; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly type: 'HELP' }
  /** One line: the setting, where it was set, its value, and what it takes. */
  | { readonly type: 'WRONG'; readonly problem: string };

export type Env = Readonly<Record<string, string | undefined>>;

/** A value as it was written, and where: `--addr`, `-a` or `DISC_ADDR`. */
interface Given {
  readonly source: string;
  readonly text: string;
}

/** Reads the settings from the arguments after `serve` and the environment. A flag beats a variable. */
export function readConfig(args: readonly string[], env: Env): Reading {
  const flags = readFlags(args);
  if (flags === 'HELP') return { type: 'HELP' };
  const problems = [...flags.problems];
  const given = new Map([...readVariables(env, flags.given, problems), ...flags.given]);

  const value = <K extends SettingKey>(key: K): ValueOf<K> => {
    const setting: Setting<unknown> = SETTINGS[key];
    const { source, text } = given.get(key) ?? { source: 'default', text: setting.default };
    if (text === undefined) return undefined as ValueOf<K>;
    const parsed = setting.parse(text);
    if (parsed === undefined) problems.push(`${source} ${quote(text)}: takes ${setting.takes}`);
    return parsed as ValueOf<K>;
  };

  const etcd = given.get('etcd');
  if (etcd !== undefined) {
    problems.push(
      `${etcd.source} ${quote(etcd.text)}: the etcd store is not built yet; leave it out to use the embedded store`,
    );
  }
  const [certFile, keyFile] = [value('tlsCert'), value('tlsKey')];
  const config: Config = {
    listen: value('addr'),
    publicUrl: value('host'),
    tls: certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile },
    dataDir: value('dataDir'),
    policy: {
      maxSize: value('maxSize'),
      defaultTtl: value('ttl'),
      minTtl: value('minTtl'),
      maxTtl: value('maxTtl'),
      retention: value('retention'),
      maxTokens: value('maxTokens'),
      customTokens: value('customTokens') === 'on',
    },
    sweepInterval: value('gcfreq'),
    pollLimit: value('pollLimit'),
    grace: value('grace'),
    logLevel: value('logLevel'),
    logFormat: value('logFormat'),
  };
  problems.push(...contradictions(config.policy, given), ...halfOfTls(given));
  const [problem] = problems;
  if (problem !== undefined) return { type: 'WRONG', problem };
  return { type: 'CONFIG', config, warnings: unknownVariables(env) };
}

/** The type of a setting's value. One without a default may be unset. */
type ValueOf<K extends SettingKey> =
  | Exclude<ReturnType<(typeof SETTINGS)[K]['parse']>, undefined>
  | (K extends 'host' | 'tlsCert' | 'tlsKey' | 'etcd' ? undefined : never);

type Givens = ReadonlyMap<SettingKey, Given>;

function readFlags(args: readonly string[]): 'HELP' | { given: Givens; problems: readonly string[] } {
  const names = new Map<string, SettingKey>();
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const [key, { flag, short, old }] of settings()) {
    for (const name of [{ flag, short }, ...(old === undefined ? [] : [old])]) {
      options[name.flag] = { type: 'string', ...(name.short !== undefined && { short: name.short }) };
      names.set(name.flag, key);
    }
  }
  // Not strict: its messages run over several sentences and do not fit ours.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const given = new Map<SettingKey, Given>();
  const problems: string[] = [];
  const help = tokens.findIndex((token) => token.kind === 'option' && token.name === 'help');
  for (const [i, token] of tokens.entries()) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      problems.push(
        help >= 0 && help === i - 1
          ? `-h ${quote(token.value)}: -h shows the help; the public URL is set with --host`
          : `${quote(token.value)}: serve takes flags only; see etcd-discovery serve --help`,
      );
      continue;
    }
    const key = names.get(token.name);
    const { rawName: source, value: text } = token;
    if (token.name === 'help') continue;
    if (key === undefined) {
      problems.push(`${quote(source)}: there is no such flag; see etcd-discovery serve --help`);
    } else if (text === undefined || (!token.inlineValue && text.startsWith('-'))) {
      problems.push(`${source}: needs a value; it takes ${SETTINGS[key].takes}`);
    } else {
      problems.push(...twoNames(given.get(key)?.source, source, key));
      given.set(key, { source, text });
    }
  }
  return help >= 0 && problems.length === 0 ? 'HELP' : { given, problems };
}

/** The variables that are set; an empty one is not. Those beaten by a flag are left out, wrong or not. */
function readVariables(env: Env, flags: Givens, problems: string[]): Map<SettingKey, Given> {
  const given = new Map<SettingKey, Given>();
  for (const [key, setting] of settings()) {
    if (flags.has(key)) continue;
    for (const source of [setting.env, setting.old?.env ?? '']) {
      const text = env[source] ?? '';
      if (text === '') continue;
      problems.push(...twoNames(given.get(key)?.source, source, key));
      given.set(key, { source, text });
    }
  }
  return given;
}

/** A setting with two names, given by both: which one is meant is not ours to guess. */
function twoNames(before: string | undefined, now: string, key: SettingKey): string[] {
  const setting: Setting<unknown> = SETTINGS[key];
  const isOld = (name: string): boolean =>
    name === setting.old?.env || name === `--${setting.old?.flag}` || name === `-${setting.old?.short}`;
  if (before === undefined || isOld(before) === isOld(now)) return [];
  return [`${before} and ${now} are two names of one setting: give one of them`];
}

function contradictions(policy: Policy, given: Givens): string[] {
  const { defaultTtl, minTtl, maxTtl } = policy;
  const written = (key: SettingKey): string => {
    const { source, text } = given.get(key) ?? { source: `--${SETTINGS[key].flag}`, text: undefined };
    return text === undefined ? source : `${source} ${quote(text)}`;
  };
  if (defaultTtl < minTtl) {
    return [
      `${written('ttl')}: a token's lifetime of ${formatDuration(defaultTtl)} is shorter than the least, ${formatDuration(minTtl)} (${written('minTtl')})`,
    ];
  }
  if (defaultTtl > maxTtl) {
    return [
      `${written('ttl')}: a token's lifetime of ${formatDuration(defaultTtl)} is longer than the most, ${formatDuration(maxTtl)} (${written('maxTtl')})`,
    ];
  }
  return [];
}

function halfOfTls(given: Givens): string[] {
  const [cert, key] = [given.get('tlsCert'), given.get('tlsKey')];
  const half = cert ?? key;
  if (half === undefined || (cert !== undefined && key !== undefined)) return [];
  const other = SETTINGS[cert === undefined ? 'tlsCert' : 'tlsKey'];
  return [`${half.source} ${quote(half.text)}: TLS needs --${other.flag} (${other.env}) as well`];
}

function unknownVariables(env: Env): string[] {
  const known = new Set(settings().flatMap(([, setting]) => [setting.env, setting.old?.env]));
  return Object.keys(env)
    .filter((name) => name.startsWith('DISC_') && !known.has(name))
    .sort()
    .map((name) => `${name} is set in the environment, and is no setting of this service`);
}

function settings(): ReadonlyArray<[SettingKey, Setting<unknown>]> {
  return Object.entries(SETTINGS) as Array<[SettingKey, Setting<unknown>]>;
}

/** Outside text for a line on a terminal: bounded, and with nothing that acts on it. */
function quote(text: string): string {
  const short = text.length > 100 ? `${text.slice(0, 100)}...` : text;
  return JSON.stringify(short).replace(
    /[^\x20-\x7e]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
