import { readFileSync } from 'node:fs';
import type { DiscoveryClient } from '../client/index.ts';
import { createDiscoveryClient } from '../client/node.ts';
import { EXIT, Failure } from './exit.ts';

/** How to reach a service. */
export interface Access {
  readonly server: string;
  readonly cacert: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** A restart takes a second or two; somebody who has the URL wrong should not wait much longer to hear it. */
const RETRY_FOR_MS = 4000;

/** The client of a command. What proves who is asking belongs here. */
export function openClient({ server, cacert, cert, key }: Access): DiscoveryClient {
  if ((cert === undefined) !== (key === undefined)) {
    throw new Failure(EXIT.WRONG, '--cert and --key belong together: give both, or neither');
  }
  return createDiscoveryClient(server, {
    retryForMs: RETRY_FOR_MS,
    tls: {
      ...(cacert !== undefined && { ca: read('--cacert', cacert) }),
      ...(cert !== undefined && { cert: read('--cert', cert) }),
      ...(key !== undefined && { key: read('--key', key) }),
    },
  });
}

function read(flag: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Failure(EXIT.WRONG, `${flag} ${JSON.stringify(file)}: ${(error as Error).message}`);
  }
}
