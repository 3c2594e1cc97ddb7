import type { Policy } from '../discovery/policy.ts';
import type { ListenAddress } from '../values/address.ts';
import { formatDuration } from '../values/duration.ts';
import type { EtcdEndpoint } from '../values/etcd-endpoints.ts';
import { quote } from '../values/quote.ts';
import type { Givens } from './given.ts';
import { SETTINGS, type SettingKey } from './settings.ts';
import type { AuthMode } from './tables/access.ts';

// Settings that are right one by one and wrong together, each told in a line.

/** Two things that would listen on one port. */
export function sameAddress(
  {
    listen,
    metricsListen,
  }: { readonly listen: ListenAddress; readonly metricsListen: ListenAddress | undefined },
  given: Givens,
): string[] {
  const metrics = given.get('metricsAddr');
  if (metrics === undefined || metricsListen === undefined || listen.port === 0) return [];
  if (metricsListen.port !== listen.port || metricsListen.host !== listen.host) return [];
  return [
    `${metrics.source} ${quote(metrics.text)}: is the address of the service itself; leave it out to have /metrics there`,
  ];
}

export function wrongLifetimes(policy: Policy, given: Givens): string[] {
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

/** A certificate without its key, or a key without its certificate. */
export function halfOfTls(
  certKey: 'tlsCert' | 'etcdCert',
  keyKey: 'tlsKey' | 'etcdKey',
  given: Givens,
): string[] {
  const [cert, key] = [given.get(certKey), given.get(keyKey)];
  const half = cert ?? key;
  if (half === undefined || (cert !== undefined && key !== undefined)) return [];
  return [
    `${half.source} ${quote(half.text)}: TLS needs ${named(cert === undefined ? certKey : keyKey)} as well`,
  ];
}

/** What does not fit together in the settings of who may call. */
export function wrongAccess(mode: AuthMode, given: Givens): string[] {
  const [auth, file, clientCa] = [given.get('auth'), given.get('authFile'), given.get('tlsClientCa')];
  if (clientCa !== undefined && !given.has('tlsCert')) {
    return [`${clientCa.source} ${quote(clientCa.text)}: is for TLS, and needs ${named('tlsCert')}`];
  }
  if (mode === 'off') {
    if (file === undefined) return [];
    return [`${file.source} ${quote(file.text)}: nobody has to be known; give ${named('auth')} as well`];
  }
  if (file === undefined && clientCa === undefined && auth !== undefined) {
    return [
      `${auth.source} ${quote(auth.text)}: nobody is known yet; give ${named('authFile')} or ${named('tlsClientCa')}`,
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

/** What does not fit together in the settings of the store. */
export function wrongStore(endpoints: readonly EtcdEndpoint[] | undefined, given: Givens): string[] {
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
    problems.push(`${etcd.source} ${quote(etcd.text)}: all of them need the same, http:// or https://`);
  } else if (schemes.has('http') && tls !== undefined) {
    problems.push(
      `${given.get(tls)?.source}: is for https://, and ${etcd.source} ${quote(etcd.text)} is http://`,
    );
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
export function wrongWorkers(
  {
    workers,
    store,
    listen,
  }: {
    readonly workers: number;
    readonly store: { readonly type: string };
    readonly listen: ListenAddress;
  },
  given: Givens,
): string[] {
  const count = given.get('workers');
  if (count === undefined || workers === 1) return [];
  if (listen.fd !== undefined) {
    return [`${count.source} ${quote(count.text)}: a socket that systemd has passed is for one process`];
  }
  if (store.type !== 'EMBEDDED') return [];
  return [
    `${count.source} ${quote(count.text)}: the embedded store has one writer; use ${named('etcd')} for several workers`,
  ];
}

/** By both of its names: --tls-key (DISC_TLS_KEY). */
function named(key: SettingKey): string {
  return `--${SETTINGS[key].flag} (${SETTINGS[key].env})`;
}
