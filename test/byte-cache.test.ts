import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteCache, LEAST_BYTES } from '../src/byte-cache.ts';

const KB = 1024;

test('keeps a bounded number of bytes, and evicts the least recently used entry', () => {
  const cache = new ByteCache<string>(100 * KB);
  const keys = Array.from({ length: 5 }, () => ({}));
  for (const [index, key] of keys.entries()) {
    cache.set(key, { value: `${index}`, bytes: 30 * KB });
    assert.ok(cache.bytes <= 100 * KB);
    // Read repeatedly.
    assert.equal(cache.get(keys[0]), '0');
  }
  assert.deepEqual(
    keys.map((key) => cache.get(key)),
    ['0', undefined, undefined, '3', '4'],
  );
});

test('frees the bytes of a replaced entry, and does not keep entries that are too large', () => {
  const cache = new ByteCache<string>(100 * KB);
  cache.set('a', { value: 'old', bytes: 90 * KB });
  cache.set('a', { value: 'new', bytes: 40 * KB });
  assert.equal(cache.bytes, 40 * KB);
  cache.set('b', { value: 'large', bytes: 101 * KB });
  assert.deepEqual([cache.get('a'), cache.get('b')], ['new', undefined]);
  cache.set('a', { value: 'too large now', bytes: 101 * KB });
  assert.deepEqual([cache.get('a'), cache.bytes], [undefined, 0]);
});

test('does not keep small entries, or the entry that a small one replaces', () => {
  const cache = new ByteCache<string>(100 * KB);
  cache.set('a', { value: 'large', bytes: LEAST_BYTES });
  assert.equal(cache.get('a'), 'large');
  cache.set('a', { value: 'small', bytes: LEAST_BYTES - 1 });
  assert.deepEqual([cache.get('a'), cache.bytes], [undefined, 0]);
});
