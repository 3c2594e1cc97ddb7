// What the work of a client is counted in: units, of which a request is one. What is more than that is counted here, by
// what it is about and never by a clock, so that the same request counts the same on every machine.

import { WORK_LIMITS } from './limits.ts';

/** Takes units of work of a client. They are of the same bucket as its requests. */
export interface Work {
  /** Takes so many before they are done. Throws what the client is refused with when there are not as many. */
  ask(units: number): void;
  /** Takes what was done already: it is owed, and the next requests wait for it. */
  owe(units: number): void;
  /** Takes one, for a message of a stream, or says how long to wait for it, in ms: nothing more is read meanwhile. */
  turn(): number;
}

/** Of nobody in particular. */
export const NO_WORK: Work = { ask() {}, owe() {}, turn: () => 0 };

/** Whole units: what is less than one is in the request's own. */
export function units(amount: number, perUnit: number): number {
  return Math.floor(amount / perUnit);
}

/** To send an answer. A compressed one was longer before, and compressing it took longer than all else. */
export function sendingUnits(bytes: number, isCompressed = false): number {
  return units(bytes, isCompressed ? WORK_LIMITS.compressedBytes : WORK_LIMITS.sentBytes);
}

/** Counts what is sent piece by piece: of a long stream that is a unit from time to time. */
export function sendingMeter(work: Work, isCompressed = false): (bytes: number) => void {
  let sent = 0;
  return (bytes) => {
    const before = sendingUnits(sent, isCompressed);
    sent += bytes;
    const more = sendingUnits(sent, isCompressed) - before;
    if (more > 0) work.owe(more);
  };
}
