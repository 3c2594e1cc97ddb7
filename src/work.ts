// Counts the work of a client in units, of which a request is one. Larger work is counted here by its size
// and never by time, so that a request costs the same on every machine.

import { WORK_LIMITS } from './limits.ts';

/** Work charges units to a client. They share the bucket of its requests. */
export interface Work {
  /** Charges units before the work is done. Throws the client's rejection if there are not enough. */
  ask(units: number): void;
  /** Charges work that was already done. The client's next requests wait until the debt is paid. */
  owe(units: number): void;
  /**
   * Charges one unit for a message of a stream, or returns the delay in ms until one is available; the caller
   * reads nothing in the meantime.
   */
  turn(): number;
}

/** NO_WORK charges nobody. */
export const NO_WORK: Work = { ask() {}, owe() {}, turn: () => 0 };

/** Returns whole units. Anything less than one is included in the request's own. */
export function units(amount: number, perUnit: number): number {
  return Math.floor(amount / perUnit);
}

/**
 * Returns the units for sending a response. A compressed one was larger before, and compressing it was most
 * of the work.
 */
export function sendingUnits(bytes: number, isCompressed = false): number {
  return units(bytes, isCompressed ? WORK_LIMITS.compressedBytes : WORK_LIMITS.sentBytes);
}

/**
 * Returns a function that charges for a response sent in pieces: for a long stream, a unit from time to time.
 */
export function sendingMeter(work: Work, isCompressed = false): (bytes: number) => void {
  let sent = 0;
  return (bytes) => {
    const before = sendingUnits(sent, isCompressed);
    sent += bytes;
    const more = sendingUnits(sent, isCompressed) - before;
    if (more > 0) work.owe(more);
  };
}
