import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import {
  answerFor,
  type Data,
  isRefusal,
  type StartAnswer,
  type StartRefusal,
} from '../../../src/etcd/start/answer.ts';
import { answerText } from '../../../src/etcd/start/answer-text.ts';
import type { KnownCluster } from '../../../src/etcd/start/member.ts';
import type { NodeStart } from '../../../src/etcd/start/node.ts';
import { START_FORMATS } from '../../../src/etcd/start/text.ts';

const node = (number: number, address = number): NodeStart => ({
  etcd: '3.7',
  name: `infra${number}`,
  ip: `10.0.0.${address}`,
  serviceUrl: 'https://disc.example.com',
  token: 'my-cluster',
});
const cluster = (count: number, size = 3): KnownCluster => ({
  complete: count === size,
  size,
  members: Array.from({ length: count }, (_, i) => ({
    id: `${i + 1}`,
    name: `infra${i + 1}`,
    peerUrls: [`http://10.0.0.${i + 1}:2380`],
  })),
});

type Row = readonly [
  what: string,
  of: KnownCluster,
  asks: NodeStart,
  data: Data,
  expected: StartAnswer['action'] | StartRefusal['reason'],
];

const [ASSEMBLING, COMPLETE] = [cluster(2), cluster(3)];
const ROWS: readonly Row[] = [
  ['a new node of a cluster that assembles', ASSEMBLING, node(3), undefined, 'start'],
  ['one that has lost nothing yet', ASSEMBLING, node(3), 'lost', 'start'],
  ['a member of a cluster that assembles', ASSEMBLING, node(2), undefined, 'start'],
  ['the name of another, while it assembles', ASSEMBLING, node(2, 3), undefined, 'NAME_TAKEN'],
  ['the address of another, while it assembles', ASSEMBLING, node(3, 2), undefined, 'PEER_URL_TAKEN'],
  ['data from before the cluster', ASSEMBLING, node(3), 'kept', 'DATA_OF_ANOTHER_CLUSTER'],
  ['a member of a complete cluster', COMPLETE, node(2), undefined, 'restart-with-data'],
  ['one that has its data', COMPLETE, node(2), 'kept', 'restart-with-data'],
  ['one that has lost them', COMPLETE, node(2), 'lost', 'replace'],
  ['one that has lost them, elsewhere', COMPLETE, node(2, 9), 'lost', 'replace'],
  ['one that has lost them, in the place of another', COMPLETE, node(2, 3), 'lost', 'PEER_URL_TAKEN'],
  ['the name of another', COMPLETE, node(2, 9), undefined, 'NAME_TAKEN'],
  ['the address of another', COMPLETE, node(9, 2), undefined, 'PEER_URL_TAKEN'],
  ['a new node of a complete cluster', COMPLETE, node(4), undefined, 'join-late'],
  ['a new node without data', COMPLETE, node(4), 'lost', 'join-late'],
  ['one that joined late, with its data', COMPLETE, node(4), 'kept', 'restart-with-data'],
  ['the only member, without its data', cluster(1, 1), node(1), 'lost', 'NO_MAJORITY'],
  ['one of two, without its data', cluster(2, 2), node(1), 'lost', 'NO_MAJORITY'],
  ['a node without a name', COMPLETE, { ...node(4), name: undefined }, undefined, 'INCOMPLETE'],
];

suite('the answer to a node depends on the state of its cluster', () => {
  for (const [what, of, asks, data, expected] of ROWS) {
    test(`${what}: ${expected}`, () => {
      const answer = answerFor(asks, of, data);
      assert.equal(isRefusal(answer) ? answer.reason : answer.action, expected);
    });
  }

  test('a node that is replaced or joins late gets all members, and itself once', () => {
    const listOf = (asks: NodeStart, data: Data): readonly string[] => {
      const answer = answerFor(asks, COMPLETE, data);
      assert.ok(!isRefusal(answer));
      return (answer.node.existing ?? '').split(',').sort();
    };
    const url = (number: number, address = number): string => `infra${number}=http://10.0.0.${address}:2380`;
    assert.deepEqual(listOf(node(2, 9), 'lost'), [url(1), url(2, 9), url(3)]);
    assert.deepEqual(listOf(node(4), undefined), [url(1), url(2), url(3), url(4)]);
  });

  test('an address matches in any spelling and with any scheme', () => {
    const members = [{ id: '1', name: 'a', peerUrls: ['https://[FD00:0::1]:2380', 'http://Infra1:2380'] }];
    const of: KnownCluster = { complete: false, size: 3, members };
    for (const more of [{ ip: 'fd00::1' }, { ip: undefined, host: 'infra1' }]) {
      const answer = answerFor({ ...node(4), ...more }, of, undefined);
      assert.ok(isRefusal(answer) && answer.reason === 'PEER_URL_TAKEN', JSON.stringify(more));
    }
  });
});

test('no command has the name of another member at another address, or its address under another name', () => {
  const small = fc.integer({ min: 1, max: 5 });
  const data = fc.constantFrom<Data>(undefined, 'kept', 'lost');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 }), small, small, data, (count, number, address, kept) => {
      const of = cluster(count, 4);
      const answer = answerFor(node(number, address), of, kept);
      if (isRefusal(answer)) return;
      // A replaced member may move. Any other contradiction to the list is rejected.
      const isMember = number <= count && number !== address;
      const isTaken = address <= count && number !== address;
      assert.ok(!isTaken, 'the address of another member');
      assert.ok(!isMember || answer.action === 'replace', 'the name of another member');
      for (const format of START_FORMATS) {
        const named = answerText(answer, format).match(
          new RegExp(`initial-advertise-peer-urls|ADVERTISE_PEER`),
        );
        assert.ok(named !== null);
      }
    }),
  );
});
