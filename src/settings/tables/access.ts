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
    help: 'The callers that are known: a line for each, made by etcd-discovery credential NAME; with --operator it may list all clusters. Read again when it changes.',
  }),
  tlsClientCa: setting({
    flag: 'tls-client-ca',
    ...FILE,
    help: 'Mutual TLS: every client needs a certificate by one of these CAs (PEM), and is known by it.',
  }),
  tlsClientCrl: setting({
    flag: 'tls-client-crl',
    ...FILE,
    help: 'The revocation lists of these CAs (PEM), one for each: who has a certificate that is in them is not let in.',
  }),
  tlsClientAllowedName: setting({
    flag: 'tls-client-allowed-name',
    value: 'NAME,...',
    takes: 'names of certificates with commas between them, like infra1.example.com,ci',
    parse: parseNames,
    help: 'The names that are let in: a client certificate needs one of them as its common name or an alternative name.',
  }),
  tlsClientOperatorName: setting({
    flag: 'tls-client-operator-name',
    value: 'NAME,...',
    takes: 'names of certificates with commas between them, like ops.example.com',
    parse: parseNames,
    help: 'The names of operators, who may list all clusters: a client certificate has one of them as its common name or an alternative name.',
  }),
} as const;

/** As certificates have them; undefined when one of them is none. */
function parseNames(text: string): readonly string[] | undefined {
  const names = text.split(',').map((name) => name.trim());
  return names.every((name) => /^[^\s"\\]{1,253}$/.test(name)) ? names : undefined;
}
