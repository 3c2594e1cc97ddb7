import { PRESETS } from '../../limits.ts';
import { DEFAULT_PREFIX, parseEndpoints, parsePrefix } from '../../values/etcd-endpoints.ts';
import { bytes, duration, FILE, LONGEST_TIMER, parsePath, parseText, setting } from './setting.ts';

/** Settings of the store. */
export const STORAGE = {
  dataDir: setting({
    flag: 'data-dir',
    value: 'DIR',
    takes: 'a directory',
    parse: parsePath,
    default: 'etcd-discovery-data',
    help: 'Data directory of the embedded store. The service creates it if it is missing.',
  }),
  dataMaxBytes: setting({
    flag: 'data-max-bytes',
    ...bytes('1MiB', '1TiB'),
    default: PRESETS.dataMaxBytes,
    help: 'Limit on bytes of tokens in the embedded store. At the limit new tokens are rejected. The disk needs twice as much.',
  }),
  etcd: setting({
    flag: 'etcd',
    short: 'e',
    value: 'URL,...',
    takes: 'comma-separated endpoints: http://host:port, https://host:port or host:port',
    parse: parseEndpoints,
    help: 'Endpoints of the etcd cluster that stores the tokens, instead of --data-dir. Use it to run several replicas.',
  }),
  etcdPrefix: setting({
    flag: 'etcd-prefix',
    value: 'PREFIX',
    takes: 'segments of A-Z a-z 0-9 . _ ~ -, each after a slash, like /a/b',
    parse: parsePrefix,
    default: DEFAULT_PREFIX,
    help: 'Prefix of the keys of this service in etcd. All replicas of one service must use the same prefix.',
  }),
  etcdMaxBytes: setting({
    flag: 'etcd-max-bytes',
    ...bytes('1MiB', '1TiB'),
    default: PRESETS.etcdMaxBytes,
    help: "Limit on bytes of tokens in etcd. At the limit new tokens are rejected. Set it to at most half of etcd's quota, or less if other programs use etcd.",
  }),
  etcdCacert: setting({
    flag: 'etcd-cacert',
    ...FILE,
    help: "CA of etcd's certificate in PEM. Default for https: the CAs that Node.js trusts.",
  }),
  etcdCert: setting({
    flag: 'etcd-cert',
    ...FILE,
    help: 'Client certificate for etcd in PEM.',
  }),
  etcdKey: setting({
    flag: 'etcd-key',
    ...FILE,
    help: 'Private key of the client certificate in PEM, without a passphrase.',
  }),
  etcdUser: setting({
    flag: 'etcd-user',
    value: 'NAME',
    takes: "a user's name",
    parse: parseText,
    help: 'User name for etcd, if it requires authentication.',
  }),
  etcdPasswordFile: setting({
    flag: 'etcd-password-file',
    ...FILE,
    help: 'File with the password of --etcd-user on its first line.',
  }),
  etcdPassword: setting({
    env: 'DISC_ETCD_PASSWORD',
    value: 'PASSWORD',
    takes: 'a password',
    parse: parseText,
    help: 'The password itself. There is no flag for it, because other users of the machine can see flags.',
  }),
  gcfreq: setting({
    flag: 'gcfreq',
    short: 'g',
    ...duration('1s', LONGEST_TIMER),
    default: '5m',
    help: 'How often to remove tokens that ended longer than --retention ago.',
  }),
} as const;
