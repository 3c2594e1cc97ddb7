import { counted } from '../values/counted.ts';
import { parseLine } from './format.ts';
import type { Item } from './import.ts';

/** Ten times the largest possible cluster. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * WrongFile is thrown for a file that is not an export, or is truncated. The message is phrased to follow the
 * file's name.
 */
export class WrongFile extends Error {}

/**
 * Yields the clusters of an export. Throws WrongFile at the start of a wrong file, or at the end of a
 * truncated one.
 */
export async function* readExport(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Item, void, undefined> {
  let number = 0;
  let clusters = 0;
  let begun = false;
  let ended = false;
  for await (const text of linesOf(bytes)) {
    number += 1;
    if (text === '') continue;
    const line = text === undefined ? 'not valid UTF-8' : parseLine(text);
    const where = `line ${number}`;
    if (!begun) {
      if (typeof line === 'string' || line.type !== 'HEADER') {
        const why = typeof line === 'string' ? line : 'the header is missing';
        throw new WrongFile(`is not an etcd-discovery export that this program can read: ${where}: ${why}`);
      }
      begun = true;
      continue;
    }
    if (ended) throw new WrongFile(`has more lines after its end, starting at ${where}`);
    if (typeof line === 'string') {
      clusters += 1;
      yield { where, cluster: line };
    } else if (line.type === 'CLUSTER') {
      clusters += 1;
      yield { where, cluster: line.cluster };
    } else if (line.type === 'END') {
      ended = true;
      if (line.clusters !== clusters) {
        throw new WrongFile(`has ${counted(clusters, 'token')}, but ${line.clusters} were exported`);
      }
    } else throw new WrongFile(`has a second header at ${where}; import the parts one by one`);
  }
  if (!begun) throw new WrongFile('is empty');
  if (!ended) throw new WrongFile('is truncated: its last line is missing');
}

/** Yields lines without their terminators, and undefined for a line that is not UTF-8. */
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
    if (length > MAX_LINE_BYTES) throw new WrongFile('has a line that is too long for an export');
  }
  if (parts.length > 0) yield decode(parts);
}
