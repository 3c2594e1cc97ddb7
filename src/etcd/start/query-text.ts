import { IP_PLACEHOLDER, NAME_PLACEHOLDER } from './node.ts';
import { MIXED, type NodeParameters, PARAMETER_KEYS, PARAMETERS } from './parameters.ts';
import type { AnswerFormat } from './query.ts';
import { shellWord } from './shell-word.ts';

/**
 * Formats the given settings as a query. A missing value becomes a placeholder, which the service rejects.
 */
export function queryText(told: NodeParameters, format: AnswerFormat): string {
  const where = told.ip === undefined && told.host === undefined ? { ip: IP_PLACEHOLDER } : {};
  const all: Readonly<Record<string, string | number | boolean | undefined>> = {
    name: NAME_PLACEHOLDER,
    ...where,
    ...told,
  };
  const pairs = PARAMETER_KEYS.flatMap((key) =>
    all[key] === undefined ? [] : [`${PARAMETERS[key].flag}=${escaped(String(all[key]))}`],
  );
  if (told.mixed === true) pairs.push(`${MIXED.flag}=true`);
  return [...pairs, `format=${format}`].join('&');
}

/** Percent-encodes where necessary: addresses, paths and placeholders stay readable. */
function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(/%(?:2F|3A|2C|5B|5D|3C|3E)/g, decodeURIComponent);
}

/** Returns a command for a boot script, which asks the service how to start the node. */
export function curlLine(
  { serviceUrl, token }: { readonly serviceUrl: string; readonly token: string },
  told: NodeParameters,
  format: AnswerFormat,
): string {
  const url = `${serviceUrl.replace(/\/+$/, '')}/_start/${token}?${queryText(told, format)}`;
  return `curl -sS --fail-with-body ${shellWord(url)}`;
}
