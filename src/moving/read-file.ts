import { counted } from '../values/counted.ts';
import { parseLine } from './format.ts';
import type { Item } from './import.ts';

/** Ten times the largest cluster that can be. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** The file is no export, or only a part of one. The message goes on after its name. */
export class WrongFile extends Error {}

/** The clusters of an export. Throws WrongFile at its begin, or at its end when it was cut short. */
export async function* readExport(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Item, void, undefined> {
  let number = 0;
  let clusters = 0;
  let begun = false;
  let ended = false;
  for await (const text of linesOf(bytes)) {
    number += 1;
    if (text === '') continue;
    const line = text === undefined ? 'it is not UTF-8' : parseLine(text);
    const where = `line ${number}`;
    if (!begun) {
      if (typeof line === 'string' || line.type !== 'HEADER') {
        const why = typeof line === 'string' ? line : 'it is not the header';
        throw new WrongFile(`is no export of etcd-discovery that this program can read: ${where}: ${why}`);
      }
      begun = true;
      continue;
    }
    if (ended) throw new WrongFile(`has more lines after its end, from ${where}`);
    if (typeof line === 'string') {
      clusters += 1;
      yield { where, cluster: line };
    } else if (line.type === 'CLUSTER') {
      clusters += 1;
      yield { where, cluster: line.cluster };
    } else if (line.type === 'END') {
      ended = true;
      if (line.clusters !== clusters) {
        throw new WrongFile(`has ${counted(clusters, 'token')}, and ${line.clusters} were exported`);
      }
    } else throw new WrongFile(`has a second header, at ${where}: import the parts one by one`);
  }
  if (!begun) throw new WrongFile('is empty');
  if (!ended) throw new WrongFile('is cut short: its last line is missing');
}

/** Lines without their ends; undefined for one that is not UTF-8. */
async function* linesOf(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<string | undefined, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (parts: readonly Uint8Array[]): string | undefined => {
    try {
      return decoder.decode(Buffer.concat(parts)).replace(/\r$/, '');
    } catch {
      return undefined;
    }
  };
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield decode([...parts, chunk.subarray(start, end)]);
      parts = [];
      length = 0;
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > MAX_LINE_BYTES) throw new WrongFile('has a line that is too long to be of an export');
  }
  if (parts.length > 0) yield decode(parts);
}
