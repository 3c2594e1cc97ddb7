import { formatDuration } from '../values/duration.ts';
import type { EtcdEndpoint } from '../values/etcd-endpoints.ts';
import { quote } from '../values/quote.ts';
import type { Config } from './config.ts';
import type { Givens } from './given.ts';
import type { Given } from './read-flags.ts';
import { SETTINGS, type SettingKey } from './settings.ts';

/** Returns one line for each combination of settings that are valid alone but not together. */
export function contradictions(
  config: Config,
  endpoints: readonly EtcdEndpoint[] | undefined,
  given: Givens,
): string[] {
  return [
    ...sameAddress(config, given),
    ...wrongLifetimes(config, given),
    ...halfOfTls('tlsCert', 'tlsKey', given),
    ...wrongAccess(config, given),
    ...wrongStore(endpoints, given),
    ...wrongWorkers(config, given),
  ];
}

/** Two listeners on the same port. */
function sameAddress({ listen, metricsListen }: Config, given: Givens): string[] {
  const metrics = given.get('metricsAddr');
  if (metrics === undefined || metricsListen === undefined || listen.port === 0) return [];
  if (metricsListen.port !== listen.port || metricsListen.host !== listen.host) return [];
  return [`${shown(metrics)}: is the address of the service itself; omit it to serve /metrics there`];
}

function wrongLifetimes({ policy }: Config, given: Givens): string[] {
  const { defaultTtl, minTtl, maxTtl } = policy;
  const written = (key: SettingKey): string => {
    const each = given.get(key);
    return each === undefined ? `--${SETTINGS[key].flag}` : shown(each);
  };
  if (defaultTtl < minTtl) {
    return [
      `${written('ttl')}: the default lifetime of ${formatDuration(defaultTtl)} is shorter than the minimum of ${formatDuration(minTtl)} (${written('minTtl')})`,
    ];
  }
  if (defaultTtl > maxTtl) {
    return [
      `${written('ttl')}: the default lifetime of ${formatDuration(defaultTtl)} is longer than the maximum of ${formatDuration(maxTtl)} (${written('maxTtl')})`,
    ];
  }
  return [];
}

/** A certificate without its key, or a key without its certificate. */
function halfOfTls(certKey: 'tlsCert' | 'etcdCert', keyKey: 'tlsKey' | 'etcdKey', given: Givens): string[] {
  const [cert, key] = [given.get(certKey), given.get(keyKey)];
  const half = cert ?? key;
  if (half === undefined || (cert !== undefined && key !== undefined)) return [];
  return [`${shown(half)}: TLS also requires ${named(cert === undefined ? certKey : keyKey)}`];
}

/** Contradictions among the settings of access. */
function wrongAccess({ auth: { mode } }: Config, given: Givens): string[] {
  const [auth, file, clientCa] = [given.get('auth'), given.get('authFile'), given.get('tlsClientCa')];
  if (clientCa !== undefined && !given.has('tlsCert')) {
    return [`${shown(clientCa)}: requires TLS; set ${named('tlsCert')}`];
  }
  const ofClients =
    given.get('tlsClientCrl') ?? given.get('tlsClientAllowedName') ?? given.get('tlsClientOperatorName');
  if (ofClients !== undefined && clientCa === undefined) {
    return [`${shown(ofClients)}: requires client certificates; set ${named('tlsClientCa')}`];
  }
  if (mode === 'off') {
    // With an explicit `off`, the file is for operators only.
    if (file === undefined || auth !== undefined) return [];
    return [
      `${shown(file)}: has no effect while --auth is not set; set ${named('auth')} to create or all, or to off if the file lists only operators`,
    ];
  }
  if (file === undefined && clientCa === undefined && auth !== undefined) {
    return [
      `${shown(auth)}: requires a list of callers; set ${named('authFile')} or ${named('tlsClientCa')}`,
    ];
  }
  return [];
}

const OF_ETCD = [
  'etcdPrefix',
  'etcdCacert',
  'etcdCert',
  'etcdKey',
  'etcdUser',
  'etcdPasswordFile',
  'etcdPassword',
] as const satisfies readonly SettingKey[];

const TLS_OF_ETCD = ['etcdCacert', 'etcdCert', 'etcdKey'] as const satisfies readonly SettingKey[];

/** Contradictions among the settings of the store. */
function wrongStore(endpoints: readonly EtcdEndpoint[] | undefined, given: Givens): string[] {
  const problems: string[] = [];
  const [etcd, dataDir] = [given.get('etcd'), given.get('dataDir')];
  const ofEtcd = OF_ETCD.find((key) => given.has(key));
  if (etcd === undefined) {
    if (ofEtcd !== undefined)
      problems.push(`${given.get(ofEtcd)?.source}: requires the etcd store; set ${named('etcd')}`);
    return problems;
  }
  if (dataDir !== undefined) {
    problems.push(
      `${etcd.source} and ${dataDir.source} both say where to store tokens; set only one of them`,
    );
  }
  problems.push(...halfOfTls('etcdCert', 'etcdKey', given));
  const schemes = new Set(endpoints?.map(({ scheme }) => scheme));
  const tls = TLS_OF_ETCD.find((key) => given.has(key));
  if (schemes.has('http') && schemes.has('https')) {
    problems.push(`${shown(etcd)}: all endpoints must use the same scheme, http:// or https://`);
  } else if (schemes.has('http') && tls !== undefined) {
    problems.push(`${given.get(tls)?.source}: requires https:// endpoints, but ${shown(etcd)} uses http://`);
  }
  const [user, file, password] = [
    given.get('etcdUser'),
    given.get('etcdPasswordFile'),
    given.get('etcdPassword'),
  ];
  if (file !== undefined && password !== undefined) {
    problems.push(`${file.source} and ${password.source} both set the password; set only one of them`);
  } else if (user === undefined && (file ?? password) !== undefined) {
    problems.push(`${(file ?? password)?.source}: a password requires a user; set ${named('etcdUser')}`);
  } else if (user !== undefined && file === undefined && password === undefined) {
    problems.push(
      `${user.source}: a user requires a password; set ${named('etcdPasswordFile')} or ${SETTINGS.etcdPassword.env}`,
    );
  }
  return problems;
}

/** Several processes over a store that allows only one writer. */
function wrongWorkers({ workers, store, listen }: Config, given: Givens): string[] {
  const count = given.get('workers');
  if (count === undefined || workers === 1) return [];
  if (listen.fd !== undefined) {
    return [`${shown(count)}: a socket from systemd can serve only one process; omit ${named('workers')}`];
  }
  if (store.type !== 'EMBEDDED') return [];
  return [
    `${shown(count)}: the embedded store supports one process; use ${named('etcd')} for several workers`,
  ];
}

/** The value as it was written, and its source. */
const shown = ({ source, text }: Given): string => `${source} ${quote(text)}`;

/** Names a setting by flag and variable: --tls-key (DISC_TLS_KEY). */
function named(key: SettingKey): string {
  return `--${SETTINGS[key].flag} (${SETTINGS[key].env})`;
}
