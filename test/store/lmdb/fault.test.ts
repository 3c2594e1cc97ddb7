import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overran } from '../../../src/store/lmdb/fault.ts';

test('a write error of LMDB tells by its length whether it was written over the end of its buffer', () => {
  const error = (...numbers: readonly number[]): Error => {
    const [position, size, blocks, ...buffers] = numbers;
    return new Error(
      `Read-only file system: Attempting to write page at position ${position}, size ${size}, blocks ${blocks}, buffer sizes ${buffers.join(' ')}`,
    );
  };
  assert.equal(overran(error(32_768, 4096, 1, 4096, 4096, 4096)), false);
  assert.equal(overran(error(12_288, 4096, 1, 4096, 56, -2_031_942_352)), false);
  // As they were met: the last two stood on the stack.
  assert.equal(overran(error(36_864, 4096, 1, 4096, -704_665_616, -704_666_272)), true);
  // 99 characters and a zero are as many as there is room for.
  assert.equal(overran(error(12_288, 4096, 1, 4096, 12_345_678, 1_234_567)), false);
  assert.equal(overran(error(12_288, 4096, 1, 4096, 12_345_678, 12_345_678)), true);
});

test('no other error does', () => {
  const long = 'a text that has nothing to do with a page '.repeat(5);
  for (const each of [undefined, 'text', new Error(long), new Error('MDB_PANIC: Update of meta page failed')])
    assert.equal(overran(each), false);
});
