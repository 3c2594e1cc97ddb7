import { PRESETS } from '../../limits.ts';
import { DEFAULT_PREFIX, parseEndpoints, parsePrefix } from '../../values/etcd-endpoints.ts';
import { bytes, duration, FILE, LONGEST_TIMER, parsePath, parseText, setting } from './setting.ts';

/** Where tokens are kept. */
export const STORAGE = {
  dataDir: setting({
    flag: 'data-dir',
    value: 'DIR',
    takes: 'a directory',
    parse: parsePath,
    default: 'etcd-discovery-data',
    help: 'Where the embedded store keeps its files. Made when it is missing.',
  }),
  dataMaxBytes: setting({
    flag: 'data-max-bytes',
    ...bytes('1MiB', '1TiB'),
    default: PRESETS.dataMaxBytes,
    help: 'How many bytes of tokens the embedded store holds until it makes no new ones. The disk needs twice as many.',
  }),
  etcd: setting({
    flag: 'etcd',
    short: 'e',
    value: 'URL,...',
    takes: 'one or more of http://host:port, https://host:port or host:port, with commas between them',
    parse: parseEndpoints,
    help: 'The etcd cluster that keeps the tokens, in place of --data-dir: for several replicas of the service.',
  }),
  etcdPrefix: setting({
    flag: 'etcd-prefix',
    value: 'PREFIX',
    takes: 'parts of A-Z a-z 0-9 . _ ~ - with a slash before each, like /a/b',
    parse: parsePrefix,
    default: DEFAULT_PREFIX,
    help: 'Where the keys of this service begin in etcd. The replicas of one service have the same.',
  }),
  etcdMaxBytes: setting({
    flag: 'etcd-max-bytes',
    ...bytes('1MiB', '1TiB'),
    default: PRESETS.etcdMaxBytes,
    help: "How many bytes of etcd the service takes until it makes no new tokens: half of etcd's quota, or less where others use it.",
  }),
  etcdCacert: setting({
    flag: 'etcd-cacert',
    ...FILE,
    help: "The CA of etcd's certificate in PEM. Without it, for https: the CAs that Node.js knows.",
  }),
  etcdCert: setting({
    flag: 'etcd-cert',
    ...FILE,
    help: 'The client certificate to show to etcd, in PEM.',
  }),
  etcdKey: setting({
    flag: 'etcd-key',
    ...FILE,
    help: "The client certificate's private key in PEM, without a passphrase.",
  }),
  etcdUser: setting({
    flag: 'etcd-user',
    value: 'NAME',
    takes: "a user's name",
    parse: parseText,
    help: 'The user of etcd, where it asks for one.',
  }),
  etcdPasswordFile: setting({
    flag: 'etcd-password-file',
    ...FILE,
    help: 'The file with the password of that user, on its first line.',
  }),
  etcdPassword: setting({
    env: 'DISC_ETCD_PASSWORD',
    value: 'PASSWORD',
    takes: 'a password',
    parse: parseText,
    help: 'The password itself. No flag takes it, as everyone on the machine can see those.',
  }),
  gcfreq: setting({
    flag: 'gcfreq',
    short: 'g',
    ...duration('1s', LONGEST_TIMER),
    default: '5m',
    help: 'How often tokens that ended longer than --retention ago are removed.',
  }),
} as const;
