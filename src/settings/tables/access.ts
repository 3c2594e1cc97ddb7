import { FILE, oneOf, setting } from './setting.ts';

/** Who has to be known: nobody, whoever makes a token, everybody. */
export type AuthMode = 'off' | 'create' | 'all';

/** Who may call. */
export const ACCESS = {
  auth: setting({
    flag: 'auth',
    value: 'off|create|all',
    ...oneOf('off', 'create', 'all'),
    default: 'off',
    help: 'Who has to be known: nobody; whoever makes a token; everybody, but for tokens that have secrets of their own.',
  }),
  authFile: setting({
    flag: 'auth-file',
    ...FILE,
    help: 'The callers that are known: a line for each, made by etcd-discovery credential NAME. Read again when it changes.',
  }),
  tlsClientCa: setting({
    flag: 'tls-client-ca',
    ...FILE,
    help: 'Mutual TLS: every client needs a certificate by one of these CAs (PEM), and is known by it.',
  }),
} as const;
