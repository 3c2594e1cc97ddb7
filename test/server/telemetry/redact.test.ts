import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { redactPath, tokenLabel } from '../../../src/server/telemetry/redact.ts';
import { anyCharacter } from '../../support/any-character.ts';

const issued = (): string => randomBytes(16).toString('hex');

test('labels distinguish tokens, begin like them, and never contain a whole one', () => {
  const token = '6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b';
  assert.match(tokenLabel(token), /^6c5d\.\.\.[0-9a-f]{6}$/);
  assert.equal(tokenLabel(token), tokenLabel(token));
  const labels = new Set(Array.from({ length: 100 }, () => tokenLabel(`6c5d${issued()}`)));
  // They have 24 bits: two are equal once in 3000 runs.
  assert.ok(labels.size >= 99);
  assert.match(tokenLabel('demo'), /^d\.\.\./);
  assert.match(tokenLabel('abc'), /^\.\.\./);
  assert.match(tokenLabel('demo:B2cyq2dKmDvBXSEJ1UsH7Kb1'), /^d\.\.\./, 'with a secret after it');
});

test('a path keeps the words of the service, but not its query', () => {
  const token = issued();
  const label = tokenLabel(token);
  const table: ReadonlyArray<[string, string]> = [
    ['/', '/'],
    ['/openapi.json', '/openapi.json'],
    ['/new?size=3', '/new'],
    [`/${token}?wait=true`, `/${label}`],
    [`/${token}/`, `/${label}/`],
    [`/${token}/_config/size`, `/${label}/_config/size`],
    [`/v2/keys/_etcd/registry/${token}/_config/size`, `/v2/keys/_etcd/registry/${label}/_config/size`],
    [`/v2/keys/discovery/${token}/_config/size`, `/v2/keys/discovery/${label}/_config/size`],
    [`/${token.replace('a', '%61')}`, `/${label}`],
    ['/size/keys', `/${tokenLabel('size')}/${tokenLabel('keys')}`],
    ['/discovery.v1.DiscoveryService/Register', '/discovery.v1.DiscoveryService/Register'],
    [
      `/discovery.v1.DiscoveryService/GetCluster?encoding=json&message={"token":"${token}"}`,
      '/discovery.v1.DiscoveryService/GetCluster',
    ],
  ];
  for (const [target, path] of table) assert.equal(redactPath(target), path, target);
});

test('no target puts a whole token or a control character into its path', () => {
  const part = fc.oneof(
    fc.constantFrom('v2', 'keys', '_etcd', 'registry', 'new', '', '..', '%zz', '_config', 'size', 'metrics'),
    fc.string({ unit: anyCharacter, maxLength: 20 }),
  );
  const word = fc.stringMatching(/^[A-Za-z0-9.~-][A-Za-z0-9._~-]{7,40}$/);
  const joint = fc.constantFrom('/', '%2f', ';', '//', ',', '\\', '?token=', '#');
  const seed = randomInt(2 ** 31);
  console.log(`seed ${seed}`);
  fc.assert(
    fc.property(
      word,
      fc.array(part, { maxLength: 6 }),
      fc.array(part, { maxLength: 6 }),
      joint,
      (token, before, after, by) => {
        const path = redactPath(['/', ...before, token, ...after].join(by));
        assert.ok(!path.includes(token), path);
        assert.match(path, /^[\x20-\x7e]*$/);
        assert.ok(path.length < 200, path);
      },
    ),
    { seed, numRuns: 2000 },
  );
});
