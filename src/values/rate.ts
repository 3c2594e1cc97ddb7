import { parseBytes } from './bytes.ts';
import type { Rate } from './token-bucket.ts';

const UNITS = { s: 1000, m: 60_000, h: 3_600_000 } as const;
const MOST = 1_000_000;

/** Parses a rate of bytes, such as 1MiB/m:16MiB, or off. */
export function parseByteRate(text: string): Rate | 'off' | undefined {
  if (text === 'off') return 'off';
  const [, rateText = '', unit = 's', burstText = ''] = /^([^/]+)\/([smh]):(.+)$/.exec(text) ?? [];
  const [rate, burst] = [parseBytes(rateText), parseBytes(burstText)];
  if (rate === undefined || burst === undefined || rate < 1 || burst < 1) return undefined;
  return { burst, interval: UNITS[unit as keyof typeof UNITS] / rate };
}

/** Parses RATE/UNIT:BURST, such as 1/s:1000, or off. Undefined for anything else. */
export function parseRate(text: string): Rate | 'off' | undefined {
  if (text === 'off') return 'off';
  const [, count = '', unit = 's', most = ''] = /^(\d{1,7})\/([smh]):(\d{1,7})$/.exec(text) ?? [];
  const [rate, burst] = [Number(count), Number(most)];
  if (!(rate >= 1 && rate <= MOST && burst >= 1 && burst <= MOST)) return undefined;
  return { burst, interval: UNITS[unit as keyof typeof UNITS] / rate };
}
