import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, parseBytes } from '../../src/values/bytes.ts';
import { parseByteRate } from '../../src/values/rate.ts';

test('parses bytes in the units that people write', () => {
  for (const [text, bytes] of [
    ['0', 0],
    ['1000', 1000],
    ['1B', 1],
    ['2KB', 2000],
    ['1.5GB', 1_500_000_000],
    ['512 MiB', 512 * 1024 ** 2],
    ['1TiB', 1024 ** 4],
  ] as const) {
    assert.equal(parseBytes(text), bytes, text);
  }
  for (const text of ['', 'MiB', '-1', '1mb', '1 PB', '1e9', '999999999999999TiB', '1KiB/s']) {
    assert.equal(parseBytes(text), undefined, text);
  }
  assert.deepEqual([1, 1024, 1.5 * 1024 ** 3].map(formatBytes), ['1 bytes', '1 KiB', '1.5 GiB']);
});

test('parses a rate of bytes as an amount per time, after a burst', () => {
  assert.deepEqual(parseByteRate('1MiB/m:16MiB'), { burst: 16 * 1024 ** 2, interval: 60_000 / 1024 ** 2 });
  assert.equal(parseByteRate('off'), 'off');
  for (const text of ['1MiB', '0/s:1', '1/s:0', '1/d:1', 'x/s:1', '1/s:x']) {
    assert.equal(parseByteRate(text), undefined, text);
  }
});
