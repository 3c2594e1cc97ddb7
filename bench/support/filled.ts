// The content of a filled store, so that clients can compute it.

import { createHash } from 'node:crypto';

/** Returns the n-th token of a filled store. */
export function tokenNumber(n: number): string {
  return createHash('md5').update(`token ${n}`).digest('hex');
}

/** Every token is for three members, and every third token has all of them. */
export const FILLED_SIZE = 3;

export function membersOf(n: number): number {
  return n % 3 === 0 ? FILLED_SIZE : 0;
}

export function memberListPath(token: string): string {
  return `/${token}?quorum=false&recursive=false&sorted=false`;
}
