import { endTime } from '../../discovery/cluster.ts';
import type { DiscoveryError } from '../../discovery/errors.ts';
import type { Millis, Token } from '../../discovery/types.ts';
import { damagedRecord } from './check/refusals.ts';
import type { Draft } from './draft.ts';
import { readFault } from './fault.ts';
import type { LmdbReader } from './reader.ts';
import { sumOfEnd, type Tables } from './tables.ts';

/** Puts and removals in one transaction of the sweep, so that it delays other calls by only a few ms. */
const SWEEP_STEPS = 1000;
/**
 * Without room on the disk: one or two tokens, because one must fit into the reserve, and the next uses the
 * pages that it freed.
 */
const SWEEP_STEPS_WITHOUT_ROOM = 10;

export interface Sweep {
  readonly endedBefore: Millis;
  readonly limit: number;
  readonly isFirst: boolean;
  readonly hasRoom: boolean;
}

/** Plans to forget the tokens that ended before a time, earliest first. Returns them. */
export function planSweep(
  tables: Pick<Tables, 'ends'>,
  reader: LmdbReader,
  draft: Draft,
  { endedBefore, limit, isFirst, hasRoom }: Sweep,
): Token[] {
  return reader.reading(() => {
    const tokens: Token[] = [];
    const most = hasRoom ? SWEEP_STEPS : SWEEP_STEPS_WITHOUT_ROOM;
    let steps = 0;
    let unreadable: DiscoveryError | undefined;
    const ended = { start: [0, ''], end: [endedBefore, ''] };
    for (const { key, value } of tables.ends.getRange(ended)) {
      const [, token] = key;
      const drafted = draft.get(token);
      try {
        if (value !== sumOfEnd(key))
          throw damagedRecord('an entry of the index of end times does not match its checksum');
        // Not cached: nobody reads them again.
        const current = drafted === undefined ? reader.cluster(token) : drafted.after;
        // A reopened token has another end by now, in this same transaction.
        if (current === undefined || endTime(current.cluster) >= endedBefore) continue;
        draft.forget(token, current);
        tokens.push(token);
        steps += 2 + current.cluster.changeCount;
      } catch (error) {
        // It must not block those after it forever, and is reported when there is nothing else to do.
        unreadable = readFault(error);
        steps += 1;
      }
      if (tokens.length === limit || steps >= most) break;
    }
    if (tokens.length === 0 && isFirst && unreadable !== undefined) throw unreadable;
    return tokens;
  });
}
