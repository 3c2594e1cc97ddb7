// Far more than any client sends: the rest of a header built to be expensive is ignored.
const RANGES_READ = 50;
const PARAMETERS_READ = 10;

/**
 * Whether a client prefers HTML to `other`, the media type for programs. HTML must be requested by name: `*`
 * + `/*`, which etcd and curl send, does not request a page.
 */
export function prefersHtml(accept: string | undefined, other: string): boolean {
  // Most requests by far, without any parsing.
  if (accept === undefined || !/html/i.test(accept)) return false;
  const ranges = accept.split(',', RANGES_READ).map(readRange);
  const html = ranges.find(({ type }) => type === 'text/html')?.quality ?? 0;
  const named = ranges.find(({ type }) => type === other);
  if (named !== undefined) return html > named.quality;
  const [group] = other.split('/');
  const any = ranges.find(({ type }) => type === `${group}/*`) ?? ranges.find(({ type }) => type === '*/*');
  return html > 0 && html >= (any?.quality ?? 0);
}

function readRange(range: string): { type: string; quality: number } {
  const [type = '', ...parameters] = range
    .split(';', PARAMETERS_READ)
    .map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => /^q\s*=/.test(parameter));
  if (quality === undefined) return { type, quality: 1 };
  const value = Number(quality.slice(quality.indexOf('=') + 1).trim() || Number.NaN);
  // An invalid quality counts as 0.
  return { type, quality: value >= 0 && value <= 1 ? value : 0 };
}
