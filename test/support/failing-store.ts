import { DiscoveryError } from '../../src/discovery/errors.ts';
import type { Store } from '../../src/discovery/store.ts';

/** A store whose database can be unreachable, like one over a network. */
export interface FailingStore {
  readonly store: Store;
  /** The calls that fail now. With READS, another replica can still write. */
  away: 'NOTHING' | 'READS' | 'ALL';
  /** How many calls failed. */
  failed: number;
}

export function failingStore(real: Store): FailingStore {
  const call = async <T>(made: () => Promise<T>, isRead = true): Promise<T> => {
    if (failing.away === 'NOTHING' || (failing.away === 'READS' && !isRead)) return made();
    failing.failed += 1;
    throw new DiscoveryError('STORE_UNAVAILABLE', 'etcd is unreachable; try again');
  };
  const store: Store = {
    key: real.key,
    ping: () => call(() => real.ping()),
    revision: () => call(() => real.revision()),
    read: (token) => call(() => real.read(token)),
    write: (token, decide) => call(() => real.write(token, decide), false),
    events: (token, after, limit) => call(() => real.events(token, after, limit)),
    onCommit: (listener) => real.onCommit(listener),
    sweep: (endedBefore, limit) => call(() => real.sweep(endedBefore, limit)),
    list: (after, limit, onDamaged) => call(() => real.list(after, limit, onDamaged)),
    ending: (from, until, limit) => call(() => real.ending(from, until, limit)),
    newest: (phase, after, limit) => call(() => real.newest(phase, after, limit)),
    close: () => real.close(),
  };
  const failing: FailingStore = { store, away: 'NOTHING', failed: 0 };
  return failing;
}
