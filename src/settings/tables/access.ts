import { FILE, oneOf, setting } from './setting.ts';

/** Who has to be known: nobody, whoever makes a token, everybody. */
export type AuthMode = 'off' | 'create' | 'all';

/** Who may call. */
export const ACCESS = {
  auth: setting({
    flag: 'auth',
    env: 'DISC_AUTH',
    value: 'off|create|all',
    ...oneOf('off', 'create', 'all'),
    default: 'off',
    help: 'Who has to be known: nobody; whoever makes a token; everybody, but for tokens that have secrets of their own.',
  }),
  authFile: setting({
    flag: 'auth-file',
    env: 'DISC_AUTH_FILE',
    ...FILE,
    help: 'The callers that are known: a line for each, made by etcd-discovery credential NAME. Read again when it changes.',
  }),
  tlsClientCa: setting({
    flag: 'tls-client-ca',
    env: 'DISC_TLS_CLIENT_CA',
    ...FILE,
    help: 'Mutual TLS: every client needs a certificate by one of these CAs (PEM), and is known by it.',
  }),
} as const;
