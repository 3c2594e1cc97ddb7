import assert from 'node:assert/strict';
import type { Code } from '@connectrpc/connect';
import { ConnectError } from '@connectrpc/connect';
import type { Policy } from '../../src/discovery/policy.ts';
import type { Config } from '../../src/settings/config.ts';
import { type RunningService, startService } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { bytes, connect, type Etcd, infraValue, memberKey, sizeKey } from './etcd.ts';

/** The whole service on a port, and a client of etcd on a connection to it. */
export interface Served extends Etcd {
  readonly service: RunningService;
  /** Creates a token for a cluster of a size, and returns it. */
  token(size?: number): Promise<string>;
  /** Registers the i-th node of an example cluster. */
  join(token: string, i: number): Promise<bigint>;
}

export async function serve(policy: Partial<Policy> = {}, config: Partial<Config> = {}): Promise<Served> {
  const service = await startService(policy, config);
  const etcd = connect(service.url);
  let made = 0;
  return {
    ...etcd,
    service,
    async token(size = 3) {
      const token = `token-${++made}`;
      await etcd.kv.put({ key: sizeKey(token), value: bytes(String(size)) });
      return token;
    },
    async join(token, i) {
      const { header } = await etcd.kv.put({ key: memberKey(token, `m${i}`), value: infraValue(i) });
      return header?.revision ?? 0n;
    },
  };
}

/** Returns the message of a rejected call, which must have the code. */
export async function rejectionMessage(call: Promise<unknown>, code: Code): Promise<string> {
  const thrown = await call.then(
    () => assert.fail('the call succeeded and should have been rejected'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof ConnectError, String(thrown));
  assert.equal(thrown.code, code, thrown.message);
  return thrown.rawMessage;
}

/** Waits until the service has no watch left. */
export function noWatchLeft({ service }: Served): Promise<void> {
  return waitFor('all watches to end', () => service.discovery.watchers() === 0);
}
