import { quoted } from './text.ts';

/** MemberValue is the node's description of itself in the value of its key. */
export interface MemberValue {
  readonly name: string;
  readonly peerUrls: readonly string[];
}

const FORM = 'use NAME=PEER_URL, or NAME=PEER_URL,NAME=PEER_URL for several URLs';

/** More URLs than the service accepts: a longer value is rejected anyway and need not be read to the end. */
const PARTS_READ = 100;

/**
 * Parses `name=url,name=url2`. A string says what is wrong with it. The service checks the name and URLs
 * themselves.
 */
export function parseValue(value: string): MemberValue | string {
  if (value === '') return `the value is missing; ${FORM}`;
  let name: string | undefined;
  const peerUrls: string[] = [];
  for (const part of value.split(',', PARTS_READ)) {
    const [partName = '', url, ...others] = part.split('=', 3);
    if (url === undefined) {
      return `${quoted(part)} has no equals sign; ${FORM} (without commas in --name or a URL)`;
    }
    if (others.length > 0) {
      return `${quoted(part)} has too many equals signs; ${FORM} (without equals signs in --name or a URL)`;
    }
    if (name !== undefined && name !== partName) {
      return `the value has two node names, ${quoted(name)} and ${quoted(partName)}; repeat the same name before each URL`;
    }
    name = partName;
    peerUrls.push(url);
  }
  return { name: name ?? '', peerUrls };
}

/** Formats the value of a member's key: `name=url,name=url2`. */
export function formatValue({ name, peerUrls }: MemberValue): string {
  let value = '';
  for (const url of peerUrls) value += value === '' ? `${name}=${url}` : `,${name}=${url}`;
  return value;
}
