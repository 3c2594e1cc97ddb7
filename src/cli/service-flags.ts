import { FILE } from '../settings/tables/setting.ts';
import type { FlagSet } from './flags.ts';
import { OUTPUT } from './output.ts';
import { parseServerUrl, SERVER_URL_TAKEN } from './server-url.ts';

/** The flags of every command that calls a service. */
export const SERVICE_FLAGS = {
  server: {
    flag: 'server',
    short: 's',
    value: 'URL',
    takes: SERVER_URL_TAKEN,
    parse: parseServerUrl,
    default: 'http://localhost:8087',
    env: 'DISC_SERVER',
    help: 'URL of the service. The full URL of a token includes it.',
  },
  cacert: {
    flag: 'cacert',
    ...FILE,
    env: 'DISC_CACERT',
    help: "CA of the service's certificate, in PEM.",
  },
  cert: {
    flag: 'cert',
    ...FILE,
    env: 'DISC_CERT',
    help: 'Client certificate in PEM, for a service that requires one.',
  },
  key: {
    flag: 'key',
    ...FILE,
    env: 'DISC_KEY',
    help: 'Private key of the client certificate, in PEM.',
  },
  output: OUTPUT,
} as const satisfies FlagSet;
