import { readFileSync } from 'node:fs';
import type { Random } from '../support/random.ts';

const PAGE = 4096;
/** Bytes that a disk writes at once. */
const SECTOR = 512;
/** Bytes of the page number at the start of a page. */
const NUMBER_BYTES = 8;

export type Variant = (bytes: Buffer, older: readonly Buffer[], random: Random) => void;

/** Damage that disks, memory and file systems have done to data. Each changes the file in place. */
export const VARIANTS: Readonly<Record<string, Variant>> = {
  'flipped bits': (bytes, _, random) => {
    const page = pageIn(bytes, random);
    for (let n = random.between(1, 4); n > 0; n--) {
      const at = page + random.between(0, PAGE - 1);
      bytes[at] = (bytes[at] as number) ^ (1 << random.between(0, 7));
    }
  },
  'changed bytes': (bytes, _, random) => {
    const at = pageIn(bytes, random) + random.between(0, PAGE - 1);
    noise(bytes, at, random.between(1, 16), random);
  },
  'a sector of zeros': (bytes, _, random) => {
    const at = sectorIn(bytes, random);
    bytes.fill(0, at, at + SECTOR);
  },
  'a page of zeros': (bytes, _, random) => {
    const at = pageIn(bytes, random);
    bytes.fill(0, at, at + PAGE);
  },
  'a page of noise': (bytes, _, random) => noise(bytes, pageIn(bytes, random), PAGE, random),
  'a sector of noise': (bytes, _, random) => noise(bytes, sectorIn(bytes, random), SECTOR, random),
  'two swapped pages': (bytes, _, random) => swap(bytes, pageIn(bytes, random), pageIn(bytes, random), 0),
  'two pages with swapped contents, each under its own number': (bytes, _, random) =>
    swap(bytes, pageIn(bytes, random), pageIn(bytes, random), NUMBER_BYTES),
  'an outdated page': (bytes, older, random) => stale(bytes, older, PAGE, random),
  'an outdated sector': (bytes, older, random) => stale(bytes, older, SECTOR, random),
};

/** Returns a file without the space that the store reserves after its pages: damage there proves nothing. */
export function usedBytes(file: string): Buffer {
  const bytes = readFileSync(file);
  return bytes.subarray(0, PAGE * Math.ceil(bytes.findLastIndex((byte) => byte !== 0) / PAGE));
}

function pageIn(bytes: Buffer, random: Random): number {
  return PAGE * random.between(0, bytes.length / PAGE - 1);
}

function sectorIn(bytes: Buffer, random: Random): number {
  return SECTOR * random.between(0, bytes.length / SECTOR - 1);
}

function noise(bytes: Buffer, from: number, length: number, random: Random): void {
  const end = Math.min(bytes.length, from + length);
  for (let at = from; at < end; at++) bytes[at] = random.between(0, 255);
}

function swap(bytes: Buffer, one: number, other: number, kept: number): void {
  const held = Buffer.from(bytes.subarray(one + kept, one + PAGE));
  bytes.copy(bytes, one + kept, other + kept, other + PAGE);
  held.copy(bytes, other + kept);
}

/** Undoes a write, as if it never reached the disk: takes a part that differs from an older file. */
function stale(bytes: Buffer, older: readonly Buffer[], length: number, random: Random): void {
  const parts: Array<[file: Buffer, at: number]> = [];
  for (const file of older) {
    for (let at = 0; at + length <= Math.min(bytes.length, file.length); at += length) {
      const isOther = file.compare(bytes, at, at + length, at, at + length) !== 0;
      if (isOther) parts.push([file, at]);
    }
  }
  const [file, at] = parts[random.between(0, parts.length - 1)] as [Buffer, number];
  file.copy(bytes, at, at, at + length);
}
