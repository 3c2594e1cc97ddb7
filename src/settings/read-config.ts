import type { Config, StoreConfig } from './config.ts';
import { contradictions } from './contradictions.ts';
import { type Env, type Givens, settingsOfVariables, unknownVariables } from './given.ts';
import { openConfigFile } from './open-config-file.ts';
import { valueOf } from './read-flags.ts';
import { type PresetSetting, SETTINGS, type Setting, type SettingKey } from './settings.ts';
import { passedSocket } from './systemd-socket.ts';

export type ConfigReading =
  | { readonly type: 'CONFIG'; readonly config: Config; readonly warnings: readonly string[] }
  /** One line: the setting, its source, its value, and the accepted values. */
  | { readonly type: 'WRONG'; readonly problem: string }
  /** The same for a configuration file that cannot be read: the call is right. */
  | { readonly type: 'UNREADABLE'; readonly problem: string };

/**
 * Reads the settings from the flags, the environment, and the configuration file that these name. A flag
 * overrides a variable, which overrides the file. A socket that systemd passed to the process `pid` overrides
 * the address.
 */
export function readConfig(flags: Givens, env: Env, pid = process.pid): ConfigReading {
  const problems: string[] = [];
  const said = new Map([...settingsOfVariables(env, flags, problems), ...flags]);
  const named = said.get('config');
  const file = named === undefined ? undefined : openConfigFile(named);
  problems.push(...(file?.problems ?? []));
  const given = new Map([...(file?.givens ?? []), ...said]);

  const value: Value = <K extends SettingKey>(key: K): ValueOf<K> => {
    const setting: Setting<unknown> = SETTINGS[key];
    const { source, text } = given.get(key) ?? { source: 'default', text: setting.default };
    const parsed = text === undefined ? undefined : valueOf(setting, { source, text }, problems);
    return parsed as ValueOf<K>;
  };

  const passed = passedSocket(env, pid);
  if (typeof passed === 'string') problems.push(passed);
  const [auth, endpoints] = [value('auth'), value('etcd')];
  const [certFile, keyFile, clientCaFile] = [value('tlsCert'), value('tlsKey'), value('tlsClientCa')];
  const operatorNames = value('tlsClientOperatorName');
  const clientTls = {
    clientCaFile,
    clientCrlFile: value('tlsClientCrl'),
    clientNames: value('tlsClientAllowedName'),
  };
  const config: Config = {
    listen: typeof passed === 'object' ? passed : value('addr'),
    metricsListen: value('metricsAddr'),
    publicUrl: value('host'),
    tls: certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile, ...clientTls },
    auth: { mode: auth, file: value('authFile'), ...(operatorNames && { operatorNames }) },
    store: storeOf(endpoints, value),
    policy: {
      maxSize: value('maxSize'),
      defaultTtl: value('ttl'),
      minTtl: value('minTtl'),
      maxTtl: value('maxTtl'),
      retention: value('retention'),
      maxTokens: value('maxTokens'),
      maxBytes: value(endpoints === undefined ? 'dataMaxBytes' : 'etcdMaxBytes'),
      customTokens: value('customTokens') === 'on',
    },
    limits: {
      perClient: {
        requests: value('clientRequests'),
        newTokens: value('clientNewTokens'),
        bytes: value('clientBytes'),
        connections: value('clientConnections'),
        requestsAtOnce: value('clientAtOnce'),
        watches: value('clientWatches'),
      },
      connections: value('maxConnections'),
      watches: value('maxWatches'),
      requestsAtOnce: value('maxAtOnce'),
    },
    trustedProxies: value('trustedProxies'),
    sweepInterval: value('gcfreq'),
    workers: value('workers'),
    pollLimit: value('pollLimit'),
    grace: value('grace'),
    logLevel: value('logLevel'),
    logFormat: value('logFormat'),
  };
  // Checked only if each value is valid by itself.
  if (problems.length === 0) problems.push(...contradictions(config, endpoints, given));
  const [problem] = problems;
  if (problem !== undefined) return { type: problem === file?.unreadable ? 'UNREADABLE' : 'WRONG', problem };
  return { type: 'CONFIG', config, warnings: unknownVariables(env) };
}

/** The type of a setting's value. One without a default may be unset. */
type ValueOf<K extends SettingKey> =
  | Exclude<ReturnType<(typeof SETTINGS)[K]['parse']>, undefined>
  | ((typeof SETTINGS)[K] extends PresetSetting<unknown> ? never : undefined);

type Value = <K extends SettingKey>(key: K) => ValueOf<K>;

function storeOf(endpoints: ValueOf<'etcd'>, value: Value): StoreConfig {
  if (endpoints === undefined) return { type: 'EMBEDDED', dataDir: value('dataDir') };
  const [caFile, certFile, keyFile] = [value('etcdCacert'), value('etcdCert'), value('etcdKey')];
  const preset = caFile === undefined && certFile === undefined ? 'http' : 'https';
  const name = value('etcdUser');
  const file = value('etcdPasswordFile');
  const password = file === undefined ? value('etcdPassword') : { file };
  return {
    type: 'ETCD',
    endpoints: endpoints.map(({ scheme = preset, authority }) => `${scheme}://${authority}`),
    prefix: value('etcdPrefix'),
    caFile,
    clientTls: certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile },
    user: name === undefined || password === undefined ? undefined : { name, password },
  };
}
