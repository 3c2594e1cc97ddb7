/** Parts are the fields of protobuf's Timestamp and Duration. */
export interface Parts {
  readonly seconds: bigint;
  readonly nanos: number;
}

export function msOf({ seconds, nanos }: Parts): number {
  return Number(seconds) * 1000 + Math.round(nanos / 1e6);
}

export function partsOf(ms: number): Parts {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1e6 };
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;
const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;

/** Parses a time as in protobuf's JSON. */
export function parseTime(text: string): Parts | undefined {
  const [, whole = '', fraction = '', zone = ''] = TIME.exec(text) ?? [];
  const ms = Date.parse(whole + zone);
  return Number.isNaN(ms) ? undefined : { seconds: BigInt(ms / 1000), nanos: nanosOf(fraction) };
}

/** Parses a duration as in protobuf's JSON. */
export function parseDuration(text: string): Parts | undefined {
  const [, sign, whole = '', fraction = ''] = DURATION.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const factor = sign === '' ? 1 : -1;
  return { seconds: BigInt(whole) * BigInt(factor), nanos: nanosOf(fraction) * factor || 0 };
}

export function timeText({ seconds, nanos }: Parts): string {
  return new Date(Number(seconds) * 1000).toISOString().replace('.000Z', `${fractionText(nanos)}Z`);
}

export function durationText({ seconds, nanos }: Parts): string {
  const sign = seconds < 0n || nanos < 0 ? '-' : '';
  return `${sign}${String(seconds).replace('-', '')}${fractionText(Math.abs(nanos))}s`;
}

function nanosOf(fraction: string): number {
  return Number(fraction.padEnd(9, '0'));
}

/** In groups of three digits. */
function fractionText(nanos: number): string {
  if (nanos === 0) return '';
  return `.${String(nanos)
    .padStart(9, '0')
    .replace(/(?:000){1,2}$/, '')}`;
}
