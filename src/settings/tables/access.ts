import { FILE, oneOf, setting } from './setting.ts';

/** AuthMode says who must authenticate: nobody, callers that create tokens, or everybody. */
export type AuthMode = 'off' | 'create' | 'all';

/** Settings of access. */
export const ACCESS = {
  auth: setting({
    flag: 'auth',
    value: 'off|create|all',
    ...oneOf('off', 'create', 'all'),
    default: 'off',
    help: "Who must authenticate: nobody (off), callers that create tokens (create), or every caller (all). With all, a guarded token's own secret is enough.",
  }),
  authFile: setting({
    flag: 'auth-file',
    ...FILE,
    help: 'File that lists the callers, one per line. etcd-discovery credential NAME prints the lines; with --operator the caller can list all clusters. Reloaded when it changes.',
  }),
  tlsClientCa: setting({
    flag: 'tls-client-ca',
    ...FILE,
    help: 'Mutual TLS: every client must present a certificate signed by one of these CAs (PEM), which authenticates it.',
  }),
  tlsClientCrl: setting({
    flag: 'tls-client-crl',
    ...FILE,
    help: 'Revocation lists of the client CAs (PEM), one for each. Revoked certificates are rejected.',
  }),
  tlsClientAllowedName: setting({
    flag: 'tls-client-allowed-name',
    value: 'NAME,...',
    takes: 'comma-separated certificate names, like infra1.example.com,ci',
    parse: parseNames,
    help: 'Allowed names: a client certificate must have one of them as its common name or an alternative name.',
  }),
  tlsClientOperatorName: setting({
    flag: 'tls-client-operator-name',
    value: 'NAME,...',
    takes: 'comma-separated certificate names, like ops.example.com',
    parse: parseNames,
    help: 'Names of operators: clients whose certificate has one of them as its common name or an alternative name can list all clusters.',
  }),
} as const;

/** Parses names as certificates have them. Undefined if any is invalid. */
function parseNames(text: string): readonly string[] | undefined {
  const names = text.split(',').map((name) => name.trim());
  return names.every((name) => /^[^\s"\\]{1,253}$/.test(name)) ? names : undefined;
}
