import { RegisterMode, WhenFull } from '../../gen/discovery/v1/service_pb.ts';
import { CLUSTER_LIMITS } from '../../src/limits.ts';
import { inProcessClient } from '../../src/rpc/client.ts';
import { discoveryService } from '../../src/rpc/service.ts';
import type { RunningService } from '../support/service.ts';

const AT_ONCE = 128;

/** Changes a member of a token more often than changes are held, so that the first ones are forgotten. */
export async function fillHistory({ discovery }: RunningService, token: string): Promise<void> {
  const client = inProcessClient(
    discoveryService(discovery, (defect) => {
      throw defect;
    }),
  );
  const change = (i: number): Promise<unknown> =>
    client.register({
      token,
      memberId: 'changing',
      name: 'changing',
      peerUrls: [`http://10.9.0.1:${i + 1}`],
      mode: RegisterMode.CREATE_OR_REPLACE,
    });
  await client.register({
    token,
    memberId: 'changing',
    name: 'changing',
    peerUrls: ['http://10.9.0.1:65535'],
    whenFull: WhenFull.STANDBY,
  });
  for (let i = 0; i < CLUSTER_LIMITS.eventsPerToken + 1; i += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => change(i + k)));
  }
}
