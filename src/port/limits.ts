import { PORT_LIMITS } from '../limits.ts';
import { PACING } from './busy.ts';
import { FLOOD } from './http2-flood.ts';

/** What a port keeps to, unless it is opened with other numbers. */
export const DEFAULTS = {
  ...PORT_LIMITS,
  ...PACING,
  ...FLOOD,
  /** Between two looks at every connection: a fifth of the shortest time measured this way. */
  sweepInterval: 3000,
} as const;

export type PortLimits = { readonly [Name in keyof typeof DEFAULTS]: number };
