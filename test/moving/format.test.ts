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

const BAD: ReadonlyArray<[line: object | string, words: RegExp]> = [
  ['{', /^it is no JSON$/],
  ['[]', /^it is no JSON object$/],
  ['null', /^it is no JSON object$/],
  [{ ...GOOD, token: undefined }, /^"token" is no text$/],
  [{ ...GOOD, token: '' }, /no token was given/],
  [{ ...GOOD, token: '_config' }, /^a token has 1 to 128/],
  [{ ...GOOD, token: 'new' }, /one of the service's own paths/],
  [{ ...GOOD, token: 'x'.repeat(129) }, /^a token has 1 to 128/],
  [{ ...GOOD, size: 0 }, /^the size of a cluster is 1 to 1000/],
  [{ ...GOOD, size: '3' }, /^"size" is no whole number$/],
  [{ ...GOOD, size: 2.5 }, /^"size" is no whole number$/],
  [{ ...GOOD, size: 1001 }, /^the size of a cluster is 1 to 1000/],
  [{ ...GOOD, description: 'x\n' }, /^a description has/],
  [{ ...GOOD, allowRejoin: 1 }, /^"allowRejoin" is neither true nor false$/],
  [{ ...GOOD, createTime: '2026-01-31' }, /^"createTime" is no time like/],
  [{ ...GOOD, createTime: '2026-13-31T12:00:00.000Z' }, /^"createTime" is no time like/],
  [{ ...GOOD, expireTime: GOOD.createTime }, /^it expires before it was made$/],
  [{ ...GOOD, expireTime: '2027-12-31T12:00:00.000Z' }, /raise --max-ttl$/],
  [{ ...GOOD, members: {} }, /^"members" is no list$/],
  [{ ...GOOD, members: [null] }, /^a member is no object$/],
  [{ ...GOOD, extra: 1 }, /^it has the field "extra", which is not known$/],
  [member({ id: '' }), /^a member id has/],
  [member({ name: 'a=b' }), /^a member's name has/],
  [member({ peerUrls: [] }), /^the member has no peer URL/],
  [member({ peerUrls: ['10.0.0.1'] }), /^a peer URL is http/],
  [member({ peerUrls: [1] }), /^"peerUrls" is no list of texts$/],
  [member({ id: '2' }), /^two of its members share the id 2$/],
  [member({ name: 'b' }), /^two of its members share the name b$/],
  [
    member({ peerUrls: ['HTTP://10.0.0.2:2380'] }),
    /^two of its members share the peer URL http:\/\/10\.0\.0\.2:2380$/,
  ],
  [member({ version: 2 }), /^it has the field "version"/],
];

test('a good line is taken', () => assert.equal(refusalOf(JSON.stringify(GOOD)), undefined));

for (const [line, words] of BAD) {
  const text = typeof line === 'string' ? line : JSON.stringify(line);
  test(`a bad line is refused in words: ${words.source}`, () =>
    assert.match(refusalOf(text) ?? 'taken', words));
}

test('more members than a cluster may have are refused', () => {
  const members = Array.from({ length: 104 }, (_, i) => {
    return { ...GOOD.members[0], id: `${i}`, name: `n${i}`, peerUrls: [`http://10.0.0.1:${i + 1}`] };
  });
  assert.equal(refusalOf(JSON.stringify({ ...GOOD, members: members.slice(1) })), undefined);
  assert.match(
    refusalOf(JSON.stringify({ ...GOOD, members })) ?? '',
    /^it has 104 members, and 3 and 100 standbys/,
  );
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

test('each cluster is told with its line, bad ones and those that are not UTF-8 as well; blank lines are nothing', async () => {
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
      ['line 4', 'it has the field "a", which is not known'],
      ['line 5', 'it is not UTF-8'],
      ['line 6', 'abc'],
    ],
  );
});

for (const [what, parts, words] of [
  ['nothing', [], /^is empty$/],
  ['no header', [LINE, endLine(1)], /^is no export .*: line 1: it is not the header$/],
  ['text', ['hello\n'], /^is no export .*: line 1: it is no JSON$/],
  ['a newer version', [HEADER.replace('1,', '2,')], /it is of version 2, and this program reads 1$/],
  ['an end that is missing', [HEADER, LINE], /^is cut short: its last line is missing$/],
  ['a line that is cut', [HEADER, LINE.slice(0, 50)], /^is cut short: its last line is missing$/],
  ['a token that is missing', [HEADER, LINE, endLine(2)], /^has 1 token, and 2 were exported$/],
  ['lines after the end', [HEADER, endLine(0), LINE], /^has more lines after its end, from line 3$/],
  ['two headers', [HEADER, HEADER, endLine(0)], /^has a second header, at line 2/],
  [
    'no lines at all',
    [HEADER, ...Array.from({ length: 66 }, () => 'x'.repeat(1024 * 1024))],
    /line that is too long/,
  ],
] satisfies Array<[string, string[], RegExp]>) {
  test(`a file with ${what} is refused`, async () => {
    await assert.rejects(read(...parts), (error: Error) => words.test(error.message));
  });
}
