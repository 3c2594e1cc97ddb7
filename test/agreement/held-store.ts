import type { Store } from '../../src/discovery/store.ts';

/** A store whose calls and commit notifications happen only when released. */
export interface HeldStore {
  readonly store: Store;
  /** Held calls and notifications, in order of arrival. */
  readonly held: ReadonlyArray<{ readonly what: string; release(): void }>;
  /** Whether calls are held. Otherwise they happen at once. */
  holds: boolean;
  /** The number of calls that have started plus those that have ended: it changes while something happens. */
  readonly activity: number;
  /** Calls in progress. */
  readonly running: number;
  /** Drops everything held, because the process that requested it has ended. */
  drop(): void;
}

export function heldStore(real: Store): HeldStore {
  const held: Array<{ what: string; release(): void }> = [];
  let activity = 0;
  let running = 0;
  const hold = (what: string, run: () => void): void => {
    activity += 1;
    if (!self.holds) return run();
    const entry = {
      what,
      release: (): void => {
        held.splice(held.indexOf(entry), 1);
        run();
      },
    };
    held.push(entry);
    return undefined;
  };
  const call = <T>(what: string, make: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      hold(what, () => {
        running += 1;
        make()
          .then(resolve, reject)
          .finally(() => {
            running -= 1;
            activity += 1;
          });
      });
    });
  const store: Store = {
    key: real.key,
    ping: () => real.ping(),
    revision: () => real.revision(),
    read: (token) => call('a read', () => real.read(token)),
    write: (token, decide) => call('a write', () => real.write(token, decide)),
    events: (token, after, limit) => call('read of changes', () => real.events(token, after, limit)),
    onCommit: (listener) => real.onCommit((token) => hold('notification of a commit', () => listener(token))),
    sweep: (endedBefore, limit) => real.sweep(endedBefore, limit),
    list: (after, limit, onDamaged) => real.list(after, limit, onDamaged),
    ending: (from, until, limit) => real.ending(from, until, limit),
    newest: (phase, after, limit) => real.newest(phase, after, limit),
    close: () => real.close(),
  };
  const self = {
    store,
    held,
    holds: false,
    get activity() {
      return activity;
    },
    get running() {
      return running;
    },
    drop: () => {
      held.length = 0;
    },
  };
  return self;
}
