import { Gauge, type Registry } from 'prom-client';

/** What there is now of something, and the most that there may be. */
interface Held {
  readonly now: () => number;
  readonly most: number;
}

/** What is of a limited number, with the setting that limits it. */
const HELD = {
  watches: ['discovery_watches', '--max-watches', 'Open watches: waiting nodes and RPC streams.'],
  connections: ['discovery_connections', '--max-connections', 'Open connections.'],
  requests: [
    'discovery_requests_open',
    '--max-at-once',
    'Requests that are not answered yet, waits included.',
  ],
  tokens: [
    'discovery_tokens',
    '--max-tokens',
    'Tokens in the store, those that have ended and are still remembered included. Replicas over one etcd all tell the same.',
  ],
  bytes: [
    'discovery_store_bytes',
    '--data-max-bytes or --etcd-max-bytes',
    'What the tokens take of the store, in bytes. Past the most no new ones are made, and a quarter further nothing is changed. Replicas over one etcd all tell the same.',
  ],
} as const;

export interface Gauges extends Readonly<Record<keyof typeof HELD, Held>> {
  /** What may still be written to the store, in bytes; undefined where that is another's business. */
  readonly room: (() => number) | undefined;
}

/** Has the gauges look, at every scrape, at what there is. */
export function registerGauges(register: Registry, { room, ...held }: Gauges): void {
  const registers = [register];
  for (const [key, [name, setting, help]] of Object.entries(HELD)) {
    const { now, most } = held[key as keyof typeof HELD];
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(now()) });
    new Gauge({ name: `${name}_max`, help: `The most that there may be (${setting}).`, registers }).set(most);
  }
  if (room !== undefined) {
    const made: Gauge = new Gauge({
      name: 'discovery_store_room_bytes',
      help: 'What the embedded store can still write: room in its file and on its disk.',
      registers,
      collect: () => made.set(room()),
    });
  }
}
