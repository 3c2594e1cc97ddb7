import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Not compiled to dist/: they are in the clone, three levels up from dist/test/tls. make.sh creates them.
const path = (name: string): string => fileURLToPath(new URL(`../../../test/tls/${name}`, import.meta.url));

export const CA_FILE = path('ca.pem');
/** A certificate of localhost and 127.0.0.1 by that CA, for servers and clients, and its key. */
export const CERT_FILE = path('server.pem');
export const KEY_FILE = path('server-key.pem');

export const CA = readFileSync(CA_FILE);
export const IDENTITY = { cert: readFileSync(CERT_FILE), key: readFileSync(KEY_FILE) };
/** Arguments that make `etcd-discovery serve` use them. */
export const TLS_ARGS = ['--tls-cert', CERT_FILE, '--tls-key', KEY_FILE];
