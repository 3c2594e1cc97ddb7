const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** Parses `512MiB`, `1.5GB` or a plain number. Undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const [, amount = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?) ?([KMGT]i?B|B)?$/.exec(text) ?? [];
  const bytes = Math.round(Number(amount) * (UNITS[unit] ?? Number.NaN));
  return amount !== '' && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Formats bytes for people: `512 MiB`, `2.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let amount = bytes;
  let at = 0;
  for (; amount >= 1024 && at < units.length - 1; at += 1) amount /= 1024;
  return `${Number(amount.toFixed(1))} ${units[at]}`;
}
