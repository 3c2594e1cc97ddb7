import { Gauge, type Registry } from 'prom-client';

/** The current amount of something, and its limit. */
interface Held {
  readonly now: () => number;
  readonly most: number;
}

/** Limited resources, with the setting that limits them. */
const HELD = {
  watches: ['discovery_watches', '--max-watches', 'Open watches: waiting nodes and RPC streams.'],
  connections: ['discovery_connections', '--max-connections', 'Open connections.'],
  requests: ['discovery_requests_open', '--max-at-once', 'Open requests, including waits.'],
  tokens: [
    'discovery_tokens',
    '--max-tokens',
    'Tokens in the store, including ended tokens within their retention. Replicas that share an etcd report the same value.',
  ],
  bytes: [
    'discovery_store_bytes',
    '--data-max-bytes or --etcd-max-bytes',
    'Bytes that tokens use in the store. At the limit new tokens are rejected, at 125% of it all changes except deletions. Replicas that share an etcd report the same value.',
  ],
} as const;

export interface Gauges extends Readonly<Record<keyof typeof HELD, Held>> {
  /** Returns the bytes that can still be written to the store. Undefined if the store is remote. */
  readonly room: (() => number) | undefined;
}

/** Registers the gauges, which read the current amounts at every scrape. */
export function registerGauges(register: Registry, { room, ...held }: Gauges): void {
  const registers = [register];
  for (const [key, [name, setting, help]] of Object.entries(HELD)) {
    const { now, most } = held[key as keyof typeof HELD];
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(now()) });
    new Gauge({ name: `${name}_max`, help: `Limit on ${name} (${setting}).`, registers }).set(most);
  }
  if (room !== undefined) {
    const made: Gauge = new Gauge({
      name: 'discovery_store_room_bytes',
      help: 'Bytes that the embedded store can still write: free space in its file and on its disk.',
      registers,
      collect: () => made.set(room()),
    });
  }
}
