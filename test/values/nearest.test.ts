import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, nearest } from '../../src/values/nearest.ts';

const COMMANDS = ['serve', 'show', 'watch', 'wait', 'new', 'list-members', 'delete', 'deregister', '3.4'];

test('finds the nearest name despite typing errors, and nothing when no name is near', () => {
  for (const [written, meant] of [
    ['wtach', 'watch'],
    ['watc', 'watch'],
    ['SERVE', 'serve'],
    ['list_members', 'list-members'],
    ['listmembers', 'list-members'],
    ['delte', 'delete'],
    ['nwe', 'new'],
    ['frobnicate', undefined],
    ['x', undefined],
    ['3.8', undefined],
    ['', undefined],
    ['w'.repeat(100_000), undefined],
  ] as const) {
    assert.equal(nearest(written, COMMANDS), meant, written);
  }
  assert.equal(nearest('--hots', ['--host']), '--host');
  assert.equal(nearest('--port', ['--host']), undefined, 'the dashes of flags make no name near');
  assert.equal(didYouMean('wtach', COMMANDS), '; did you mean watch?');
  assert.equal(didYouMean('frobnicate', COMMANDS), '');
});
