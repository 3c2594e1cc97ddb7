import { Code, ConnectError, createServiceImplSpec, type ServiceImplSpec } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../gen/grpc/health/v1/health_pb.ts';
import { serverStops } from './open-streams.ts';

/** How long a change of health stays unseen by those who watch. */
const LOOK_EVERY_MS = 1000;

export interface HealthOptions {
  /** Undefined when calls can be answered; else why not. */
  readonly notReady: () => Promise<string | undefined>;
  /** Aborted when the server stops: who watches is told so, and its stream ends. */
  readonly stopping: AbortSignal;
}

/** gRPC's health check, of each of the services, of itself and of all together. */
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
      if (!known.has(service)) throw new ConnectError(`there is no service ${service} here`, Code.NotFound);
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

/** Looks for all who watch at once, and only while somebody does. */
class Changes {
  readonly #look: () => Promise<Status>;
  readonly #stopping: AbortSignal;
  /** Those who wait, with what each was told. */
  readonly #waiting = new Map<() => void, Status>();
  #timer: NodeJS.Timeout | undefined;

  constructor(look: () => Promise<Status>, stopping: AbortSignal) {
    this.#look = look;
    this.#stopping = stopping;
    stopping.addEventListener('abort', () => this.#wake(() => true), { once: true });
  }

  /** Resolves when the status is another one than was told, or the server stops, or at the signal. */
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
