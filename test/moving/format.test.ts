import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import { millis } from '../../src/discovery/types.ts';
import { endLine, headerLine, parseLine } from '../../src/moving/format.ts';
import type { Item } from '../../src/moving/import.ts';
import { parseCluster } from '../../src/moving/parse.ts';
import { readExport } from '../../src/moving/read-file.ts';

const GOOD = {
  token: 'abc',
  size: 3,
  description: '',
  allowRejoin: false,
  createTime: '2026-01-31T12:00:00.000Z',
  expireTime: '2026-02-01T12:00:00.000Z',
  members: [
    { id: '1', name: 'a', peerUrls: ['http://10.0.0.1:2380'], registerTime: '2026-01-31T12:00:01.000Z' },
    { id: '2', name: 'b', peerUrls: ['http://10.0.0.2:2380'], registerTime: '2026-01-31T12:00:02.000Z' },
  ],
};

const NOW = millis(Date.parse(GOOD.createTime));

function refusalOf(text: string): string | undefined {
  const line = parseLine(text);
  if (typeof line === 'string') return line;
  assert.equal(line.type, 'CLUSTER');
  const parsed = line.type === 'CLUSTER' ? parseCluster(line.cluster, DEFAULT_POLICY, NOW) : line;
  return typeof parsed === 'string' ? parsed : undefined;
}

const member = (change: object): object => ({
  ...GOOD,
  members: [{ ...GOOD.members[0], ...change }, GOOD.members[1]],
});

const BAD: ReadonlyArray<[line: object | string, pattern: RegExp]> = [
  ['{', /^not valid JSON$/],
  ['[]', /^not a JSON object$/],
  ['null', /^not a JSON object$/],
  [{ ...GOOD, token: undefined }, /^"token" must be a string$/],
  [{ ...GOOD, token: '' }, /the token is missing/],
  [{ ...GOOD, token: '_config' }, /^a token must have 1 to 128/],
  [{ ...GOOD, token: 'new' }, /one of the service's own paths/],
  [{ ...GOOD, token: 'x'.repeat(129) }, /^a token must have 1 to 128/],
  [{ ...GOOD, size: 0 }, /size must be 1 to 1000/],
  [{ ...GOOD, size: '3' }, /^"size" must be a whole number$/],
  [{ ...GOOD, size: 2.5 }, /^"size" must be a whole number$/],
  [{ ...GOOD, size: 1001 }, /size must be 1 to 1000/],
  [{ ...GOOD, description: 'x\n' }, /^a description must have/],
  [{ ...GOOD, allowRejoin: 1 }, /^"allowRejoin" must be true or false$/],
  [{ ...GOOD, createTime: '2026-01-31' }, /^"createTime" must be a time like/],
  [{ ...GOOD, createTime: '2026-13-31T12:00:00.000Z' }, /^"createTime" must be a time like/],
  [{ ...GOOD, expireTime: GOOD.createTime }, /expires before it was created$/],
  [{ ...GOOD, expireTime: '2027-12-31T12:00:00.000Z' }, /raise --max-ttl$/],
  [{ ...GOOD, members: {} }, /^"members" must be a list$/],
  [{ ...GOOD, members: [null] }, /^a member must be an object$/],
  [{ ...GOOD, extra: 1 }, /field "extra"$/],
  [member({ id: '' }), /^the member id is missing/],
  [member({ name: 'a=b' }), /^the member name 'a=b' is not valid/],
  [member({ peerUrls: [] }), /^the member has no peer URL/],
  [member({ peerUrls: ['10.0.0.1'] }), /^the peer URL '10.0.0.1' is not valid/],
  [member({ peerUrls: [1] }), /^"peerUrls" must be a list of strings$/],
  [member({ id: '2' }), /^two members share the id 2$/],
  [member({ name: 'b' }), /^two members share the name b$/],
  [
    member({ peerUrls: ['HTTP://10.0.0.2:2380'] }),
    /^two members share the peer URL http:\/\/10\.0\.0\.2:2380$/,
  ],
  [member({ version: 2 }), /field "version"/],
];

test('a valid line is accepted', () => assert.equal(refusalOf(JSON.stringify(GOOD)), undefined));

for (const [line, pattern] of BAD) {
  const text = typeof line === 'string' ? line : JSON.stringify(line);
  test(`an invalid line is rejected with ${pattern.source}`, () =>
    assert.match(refusalOf(text) ?? 'taken', pattern));
}

test('more members than a cluster can have are rejected', () => {
  const members = Array.from({ length: 104 }, (_, i) => {
    return { ...GOOD.members[0], id: `${i}`, name: `n${i}`, peerUrls: [`http://10.0.0.1:${i + 1}`] };
  });
  assert.equal(refusalOf(JSON.stringify({ ...GOOD, members: members.slice(1) })), undefined);
  assert.match(refusalOf(JSON.stringify({ ...GOOD, members })) ?? '', /104 members.* 3 and 100 standbys/);
});

async function read(...parts: Array<string | Uint8Array>): Promise<Item[]> {
  const items: Item[] = [];
  const bytes = (async function* () {
    for (const part of parts) yield Buffer.from(part);
  })();
  for await (const item of readExport(bytes)) items.push(item);
  return items;
}

const HEADER = headerLine(millis(0));
const LINE = `${JSON.stringify(GOOD)}\n`;

test('each cluster is reported with its line, also invalid ones and invalid UTF-8; blank lines are skipped', async () => {
  const items = await read(
    HEADER,
    LINE,
    '\n',
    '{"a":1}\r\n',
    Buffer.from([0x22, 0xff, 0x22, 10]),
    LINE,
    endLine(4),
  );
  assert.deepEqual(
    items.map(({ where, cluster }) => [where, typeof cluster === 'string' ? cluster : cluster.token]),
    [
      ['line 2', 'abc'],
      ['line 4', 'unknown field "a"'],
      ['line 5', 'not valid UTF-8'],
      ['line 6', 'abc'],
    ],
  );
});

for (const [what, parts, pattern] of [
  ['nothing', [], /^is empty$/],
  ['no header', [LINE, endLine(1)], /^is not an etcd-discovery export .*: line 1: the header is missing$/],
  ['text', ['hello\n'], /^is not an etcd-discovery export .*: line 1: not valid JSON$/],
  ['a newer version', [HEADER.replace('1,', '2,')], / version 2.* version 1$/],
  ['a missing end', [HEADER, LINE], /^is truncated: its last line is missing$/],
  ['a truncated line', [HEADER, LINE.slice(0, 50)], /^is truncated: its last line is missing$/],
  ['a missing token', [HEADER, LINE, endLine(2)], /^has 1 token, .*2 were exported$/],
  ['lines after the end', [HEADER, endLine(0), LINE], /^has more lines after its end, .*line 3$/],
  ['two headers', [HEADER, HEADER, endLine(0)], /^has a second header at line 2/],
  [
    'no line breaks',
    [HEADER, ...Array.from({ length: 66 }, () => 'x'.repeat(1024 * 1024))],
    /line that is too long/,
  ],
] satisfies Array<[string, string[], RegExp]>) {
  test(`a file with ${what} is rejected`, async () => {
    await assert.rejects(read(...parts), (error: Error) => pattern.test(error.message));
  });
}
