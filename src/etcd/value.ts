import { quoted } from './text.ts';

/** What a node says of itself in the value of its key. */
export interface MemberValue {
  readonly name: string;
  readonly peerUrls: readonly string[];
}

const FORM = 'a value is name=peerURL, or name=peerURL,name=peerURL for several';

/** More than the service takes of a member: who has sent even more is refused all the same, and not read to the end. */
const PARTS_READ = 100;

/**
 * Parses `name=url,name=url2`; a string says what is wrong with it. Whether name and URLs are good ones is
 * the service's to say.
 */
export function parseValue(value: string): MemberValue | string {
  if (value === '') return `the value is missing; ${FORM}`;
  let name: string | undefined;
  const peerUrls: string[] = [];
  for (const part of value.split(',', PARTS_READ)) {
    const [partName = '', url, ...others] = part.split('=', 3);
    if (url === undefined) {
      return `${quoted(part)} has no equals sign; ${FORM}, and neither the node's name (--name) nor a URL may hold a comma`;
    }
    if (others.length > 0) {
      return `${quoted(part)} has too many equals signs; ${FORM}, and neither the node's name (--name) nor a URL may hold one`;
    }
    if (name !== undefined && name !== partName) {
      return `the value names two nodes, ${quoted(name)} and ${quoted(partName)}; ${FORM}, each with the same name`;
    }
    name = partName;
    peerUrls.push(url);
  }
  return { name: name ?? '', peerUrls };
}

/** The value of a member's key: `name=url,name=url2`. */
export function formatValue({ name, peerUrls }: MemberValue): string {
  let value = '';
  for (const url of peerUrls) value += value === '' ? `${name}=${url}` : `,${name}=${url}`;
  return value;
}
