import { Code, ConnectError, createServiceImplSpec, type ServiceImplSpec } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../gen/grpc/health/v1/health_pb.ts';
import { serverStops } from './open-streams.ts';

/** How long watchers may have to wait for a change of health. */
const LOOK_EVERY_MS = 1000;

export interface HealthOptions {
  /** Returns undefined if calls can be answered, otherwise the cause. */
  readonly notReady: () => Promise<string | undefined>;
  /** Aborted when the server stops. Watchers are notified, and their streams end. */
  readonly stopping: AbortSignal;
}

/** Returns gRPC's health service, for each of the services, for itself and for the server as a whole. */
export function healthService(
  services: readonly ServiceImplSpec[],
  { notReady, stopping }: HealthOptions,
): ServiceImplSpec {
  const known = new Set(['', Health.typeName, ...services.map(({ service }) => service.typeName)]);
  const look = async (): Promise<Status> =>
    !stopping.aborted && (await notReady()) === undefined ? Status.SERVING : Status.NOT_SERVING;
  const changes = new Changes(look, stopping);
  return createServiceImplSpec<typeof Health>(Health, {
    async check({ service }) {
      if (!known.has(service)) throw new ConnectError(`unknown service ${service}`, Code.NotFound);
      return { status: await look() };
    },
    async list() {
      const status = await look();
      return { statuses: Object.fromEntries([...known].map((name) => [name, { status }])) };
    },
    async *watch({ service }, { signal }) {
      let told: Status | undefined;
      while (!signal.aborted) {
        const status = known.has(service) ? await look() : Status.SERVICE_UNKNOWN;
        if (status !== told) yield { status };
        told = status;
        if (stopping.aborted) throw serverStops();
        await changes.from(status, signal);
      }
    },
  });
}

/** Changes polls the health once for all watchers, and only while there are any. */
class Changes {
  readonly #look: () => Promise<Status>;
  readonly #stopping: AbortSignal;
  /** The waiting watchers, each with the status that it was last sent. */
  readonly #waiting = new Map<() => void, Status>();
  #timer: NodeJS.Timeout | undefined;

  constructor(look: () => Promise<Status>, stopping: AbortSignal) {
    this.#look = look;
    this.#stopping = stopping;
    stopping.addEventListener('abort', () => this.#wake(() => true), { once: true });
  }

  /** Resolves when the status differs from the given one, the server stops, or the signal aborts. */
  from(told: Status, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      if (signal.aborted || this.#stopping.aborted) return done();
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.set(done, told);
      this.#lookLater();
    });
  }

  #lookLater(): void {
    if (this.#timer !== undefined) return;
    const look = async (): Promise<void> => {
      const now = await this.#look();
      // An unknown service stays unknown.
      this.#wake((told) => told !== now && told !== Status.SERVICE_UNKNOWN);
      this.#timer = undefined;
      if (this.#waiting.size > 0) this.#lookLater();
    };
    this.#timer = setTimeout(() => void look(), LOOK_EVERY_MS).unref();
  }

  #wake(which: (told: Status) => boolean): void {
    for (const [done, told] of this.#waiting) if (which(told)) done();
  }
}
