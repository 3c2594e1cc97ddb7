import { parseArgs } from 'node:util';
import { quote } from '../values/quote.ts';
import { SETTINGS, type Setting, type SettingKey } from './settings.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** A value as it was written, and where: `--addr`, `-a` or `DISC_ADDR`. */
export interface Given {
  readonly source: string;
  readonly text: string;
}

export type Givens = ReadonlyMap<SettingKey, Given>;

/** What the arguments say, or that they ask for help. */
export function readFlags(args: readonly string[]): 'HELP' | { given: Givens; problems: readonly string[] } {
  const names = new Map<string, SettingKey>();
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const [key, { flag, short, old }] of settings()) {
    const own = flag === undefined ? [] : [{ flag, short }];
    for (const name of [...own, ...(old === undefined ? [] : [old])]) {
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
      const secret = settings().find(
        ([, setting]) => setting.flag === undefined && flagLike(setting.env) === source,
      );
      problems.push(
        secret === undefined
          ? `${quote(source)}: there is no such flag; see etcd-discovery serve --help`
          : `${source}: others on this machine can see flags; set ${secret[1].env}, or use ${source}-file`,
      );
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
export function readVariables(env: Env, flags: Givens, problems: string[]): Map<SettingKey, Given> {
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

/** Variables that look like settings and are none, in words. */
export function unknownVariables(env: Env): string[] {
  // Those of the other commands, which may be set for them.
  const others = ['DISC_SERVER', 'DISC_CREDENTIALS'];
  const known = new Set([...others, ...settings().flatMap(([, { env, old }]) => [env, old?.env])]);
  return Object.keys(env)
    .filter((name) => name.startsWith('DISC_') && !known.has(name))
    .sort()
    .map((name) => (/^\w{1,64}$/.test(name) ? name : quote(name)))
    .map((name) => `${name} is set in the environment, and is no setting of this service`);
}

/** The flag that a variable would have, like --etcd-password. */
function flagLike(env: string): string {
  return `--${env.replace('DISC_', '').replaceAll('_', '-').toLowerCase()}`;
}

function settings(): ReadonlyArray<[SettingKey, Setting<unknown>]> {
  return Object.entries(SETTINGS) as Array<[SettingKey, Setting<unknown>]>;
}
