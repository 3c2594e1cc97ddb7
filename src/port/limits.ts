import { PORT_LIMITS } from '../limits.ts';
import { PACING } from './busy.ts';
import { FLOOD } from './http2-flood.ts';

/** The limits of a port, unless it is opened with others. */
export const DEFAULTS = {
  ...PORT_LIMITS,
  ...PACING,
  ...FLOOD,
  /** Interval of the sweep over all connections: a fifth of the shortest timeout that it enforces. */
  sweepInterval: 3000,
} as const;

export type PortLimits = { readonly [Name in keyof typeof DEFAULTS]: number };
