import { formatDuration } from '../values/duration.ts';
import type { EtcdEndpoint } from '../values/etcd-endpoints.ts';
import { quote } from '../values/quote.ts';
import type { Config } from './config.ts';
import type { Givens } from './given.ts';
import type { Given } from './read-flags.ts';
import { SETTINGS, type SettingKey } from './settings.ts';

/** Settings that are right one by one and wrong together, each in a line. */
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

/** Two things that would listen on one port. */
function sameAddress({ listen, metricsListen }: Config, given: Givens): string[] {
  const metrics = given.get('metricsAddr');
  if (metrics === undefined || metricsListen === undefined || listen.port === 0) return [];
  if (metricsListen.port !== listen.port || metricsListen.host !== listen.host) return [];
  return [`${shown(metrics)}: is the address of the service itself; leave it out to have /metrics there`];
}

function wrongLifetimes({ policy }: Config, given: Givens): string[] {
  const { defaultTtl, minTtl, maxTtl } = policy;
  const written = (key: SettingKey): string => {
    const each = given.get(key);
    return each === undefined ? `--${SETTINGS[key].flag}` : shown(each);
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

/** A certificate without its key, or a key without its certificate. */
function halfOfTls(certKey: 'tlsCert' | 'etcdCert', keyKey: 'tlsKey' | 'etcdKey', given: Givens): string[] {
  const [cert, key] = [given.get(certKey), given.get(keyKey)];
  const half = cert ?? key;
  if (half === undefined || (cert !== undefined && key !== undefined)) return [];
  return [`${shown(half)}: TLS needs ${named(cert === undefined ? certKey : keyKey)} as well`];
}

/** What does not fit together in the settings of who may call. */
function wrongAccess({ auth: { mode } }: Config, given: Givens): string[] {
  const [auth, file, clientCa] = [given.get('auth'), given.get('authFile'), given.get('tlsClientCa')];
  if (clientCa !== undefined && !given.has('tlsCert')) {
    return [`${shown(clientCa)}: is for TLS, and needs ${named('tlsCert')}`];
  }
  const ofClients =
    given.get('tlsClientCrl') ?? given.get('tlsClientAllowedName') ?? given.get('tlsClientOperatorName');
  if (ofClients !== undefined && clientCa === undefined) {
    return [`${shown(ofClients)}: is for client certificates, and needs ${named('tlsClientCa')}`];
  }
  if (mode === 'off') {
    // Said so, it is for the operators alone.
    if (file === undefined || auth !== undefined) return [];
    return [
      `${shown(file)}: nobody has to be known; give ${named('auth')} as well (off: the file is for operators alone)`,
    ];
  }
  if (file === undefined && clientCa === undefined && auth !== undefined) {
    return [`${shown(auth)}: nobody is known yet; give ${named('authFile')} or ${named('tlsClientCa')}`];
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

/** What does not fit together in the settings of the store. */
function wrongStore(endpoints: readonly EtcdEndpoint[] | undefined, given: Givens): string[] {
  const problems: string[] = [];
  const [etcd, dataDir] = [given.get('etcd'), given.get('dataDir')];
  const ofEtcd = OF_ETCD.find((key) => given.has(key));
  if (etcd === undefined) {
    if (ofEtcd !== undefined)
      problems.push(`${given.get(ofEtcd)?.source}: is for etcd, and needs ${named('etcd')}`);
    return problems;
  }
  if (dataDir !== undefined) {
    problems.push(`${etcd.source} and ${dataDir.source} are two places for the tokens: give one of them`);
  }
  problems.push(...halfOfTls('etcdCert', 'etcdKey', given));
  const schemes = new Set(endpoints?.map(({ scheme }) => scheme));
  const tls = TLS_OF_ETCD.find((key) => given.has(key));
  if (schemes.has('http') && schemes.has('https')) {
    problems.push(`${shown(etcd)}: all of them need the same, http:// or https://`);
  } else if (schemes.has('http') && tls !== undefined) {
    problems.push(`${given.get(tls)?.source}: is for https://, and ${shown(etcd)} is http://`);
  }
  const [user, file, password] = [
    given.get('etcdUser'),
    given.get('etcdPasswordFile'),
    given.get('etcdPassword'),
  ];
  if (file !== undefined && password !== undefined) {
    problems.push(`${file.source} and ${password.source} are two passwords: give one of them`);
  } else if (user === undefined && (file ?? password) !== undefined) {
    problems.push(
      `${(file ?? password)?.source}: is the password of a user: give ${named('etcdUser')} as well`,
    );
  } else if (user !== undefined && file === undefined && password === undefined) {
    problems.push(
      `${user.source}: needs a password: give ${named('etcdPasswordFile')} or ${SETTINGS.etcdPassword.env}`,
    );
  }
  return problems;
}

/** Several processes over a store that has one writer. */
function wrongWorkers({ workers, store, listen }: Config, given: Givens): string[] {
  const count = given.get('workers');
  if (count === undefined || workers === 1) return [];
  if (listen.fd !== undefined) {
    return [`${shown(count)}: a socket that systemd has passed is for one process`];
  }
  if (store.type !== 'EMBEDDED') return [];
  return [`${shown(count)}: the embedded store has one writer; use ${named('etcd')} for several workers`];
}

/** As it was written, and where. */
const shown = ({ source, text }: Given): string => `${source} ${quote(text)}`;

/** By both of its names: --tls-key (DISC_TLS_KEY). */
function named(key: SettingKey): string {
  return `--${SETTINGS[key].flag} (${SETTINGS[key].env})`;
}
