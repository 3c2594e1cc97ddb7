import { endTime } from '../../discovery/cluster.ts';
import type { DiscoveryError } from '../../discovery/errors.ts';
import type { Millis, Token } from '../../discovery/types.ts';
import { damagedRecord } from './check/refusals.ts';
import type { Draft } from './draft.ts';
import { readFault } from './fault.ts';
import type { Reader } from './reader.ts';
import { sumOfEnd, type Tables } from './tables.ts';

/** Puts and removals of one transaction of the sweep, so that it holds other calls up for a few ms. */
const SWEEP_STEPS = 1000;
/** Without room on the disk: a token or two, as one must fit into the reserve, and the next uses the pages that it freed. */
const SWEEP_STEPS_WITHOUT_ROOM = 10;

export interface Sweep {
  readonly endedBefore: Millis;
  readonly limit: number;
  readonly isFirst: boolean;
  readonly hasRoom: boolean;
}

/** Adds to a draft that tokens are forgotten which ended before a time, the earliest first. Returns which. */
export function planSweep(
  tables: Pick<Tables, 'ends'>,
  reader: Reader,
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
          throw damagedRecord('an entry of the index of ends does not fit its checksum');
        // Not kept: nobody asks for them again.
        const current = drafted === undefined ? reader.cluster(token) : drafted.after;
        // A reopened token has another end by now, in this very transaction.
        if (current === undefined || endTime(current.cluster) >= endedBefore) continue;
        draft.forget(token, current);
        tokens.push(token);
        steps += 2 + current.cluster.changeCount;
      } catch (error) {
        // It must not keep those behind it for ever, and is told of when there is nothing else to do.
        unreadable = readFault(error);
        steps += 1;
      }
      if (tokens.length === limit || steps >= most) break;
    }
    if (tokens.length === 0 && isFirst && unreadable !== undefined) throw unreadable;
    return tokens;
  });
}
