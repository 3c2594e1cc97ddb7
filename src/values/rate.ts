import type { Rate } from './token-bucket.ts';

const UNITS = { s: 1000, m: 60_000, h: 3_600_000 } as const;
const MOST = 1_000_000;

/** RATE/UNIT:BURST, like 1/s:1000, or off. Undefined when it is neither. */
export function parseRate(text: string): Rate | 'off' | undefined {
  if (text === 'off') return 'off';
  const [, count = '', unit = 's', most = ''] = /^(\d{1,7})\/([smh]):(\d{1,7})$/.exec(text) ?? [];
  const [rate, burst] = [Number(count), Number(most)];
  if (!(rate >= 1 && rate <= MOST && burst >= 1 && burst <= MOST)) return undefined;
  return { burst, interval: UNITS[unit as keyof typeof UNITS] / rate };
}
