import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { ClusterSchema, ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import { endedView } from '../../src/page/cluster.ts';
import { toHtml } from '../../src/page/view/html.ts';
import { tokenMain } from '../../src/page/view/token.ts';

const { ASSEMBLING, COMPLETE, EXPIRED, DELETED } = ClusterState;

interface Expected {
  readonly word: string;
  /** Text that the page must have. */
  readonly says: RegExp;
  /** Text that the page must not have. */
  readonly never?: RegExp;
  readonly canJoin?: true;
  readonly canReopen?: true;
  readonly needsNew?: true;
}

const JOIN = /<section id="start" [^>]*hidden/;
const TABLE: ReadonlyArray<[cluster: MessageInitShape<typeof ClusterSchema>, expected: Expected]> = [
  [
    { state: ASSEMBLING, memberCount: 2 },
    { word: 'Assembling', says: /2 of 3 nodes registered, 1 missing\./, canJoin: true },
  ],
  [
    { state: COMPLETE, memberCount: 3, formed: true },
    { word: 'Complete', says: /All 3 nodes have registered\./ },
  ],
  [
    { state: ASSEMBLING, memberCount: 2, formed: true },
    { word: 'Formed', says: /was complete.*etcdctl member add/s, never: /missing/ },
  ],
  [
    { state: EXPIRED, memberCount: 2 },
    {
      word: 'Expired',
      says: /2 of 3 nodes registered, 1 missing.*etcd-discovery reopen .*Missing/s,
      canReopen: true,
      needsNew: true,
    },
  ],
  [
    { state: EXPIRED, memberCount: 3, formed: true },
    { word: 'Expired', says: /complete before its token expired.*etcdctl member add/s, never: /missing/ },
  ],
  [
    { state: DELETED },
    { word: 'Deleted', says: /before the cluster was complete/, never: />0</, needsNew: true },
  ],
  [
    { state: DELETED, formed: true },
    { word: 'Deleted', says: /complete before its token was deleted.*etcdctl member add/s, never: />0</ },
  ],
  [
    { state: DELETED, closedByRestore: true },
    { word: 'Closed', says: /restored from a backup/, never: />0</, needsNew: true },
  ],
];

for (const [cluster, { word, says, never, ...can }] of TABLE) {
  const name = `${word}${cluster.formed === true ? ', formed' : ''}`;
  test(`the page of a cluster that is ${name.toLowerCase()} shows its state and offers only what works`, () => {
    const view = endedView(create(ClusterSchema, { token: 't', size: 3, ...cluster }));
    const place = { token: 't', serviceUrl: 'http://disc', root: './' };
    const html = toHtml(tokenMain({ ...place, view, clock: { now: 0, timeZone: 'UTC' } }));
    const visible = html.replace(/<(\w+)[^>]* hidden>.*?<\/\1>/gs, '');
    assert.match(visible, new RegExp(`class="state">${word}<`));
    assert.match(visible, says);
    if (never !== undefined) assert.doesNotMatch(visible, never);
    assert.equal(!JOIN.test(html), can.canJoin === true, 'commands to start nodes');
    assert.equal(/class="reopen">/.test(html), can.canReopen === true, 'the command to reopen');
    assert.equal(
      /<p><a class="button"[^>]*>Create a new token/.test(html),
      can.needsNew === true,
      'a new token',
    );
    assert.equal(/and join it/.test(visible), can.canJoin === true, 'the URL is said to allow joining');
  });
}
