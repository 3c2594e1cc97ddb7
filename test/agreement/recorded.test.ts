import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Exchange, recorded } from '../etcdv2/exchange.ts';
import { callText, type NodeIdentity } from './node.ts';
import { NodeV2 } from './node-v2.ts';

/** Returns the nodes of a recording, identified by their registrations. */
function nodesOf(exchanges: readonly Exchange[]): { readonly token: string; readonly nodes: NodeIdentity[] } {
  const nodes: NodeIdentity[] = [];
  let token = '';
  for (const { request } of exchanges) {
    if (request.method !== 'PUT') continue;
    const [, first = '', id = ''] = /^\/([^/]+)\/([^/?]+)\?/.exec(request.path) ?? [];
    const [name = '', peerUrl = ''] = decodeURIComponent((request.body ?? '').slice('value='.length)).split(
      '=',
    );
    token = first;
    if (nodes.every((each) => each.id !== id)) nodes.push({ id, name, peerUrl });
  }
  return { token, nodes };
}

const NOBODY: NodeIdentity = { id: '0', name: 'nobody', peerUrl: '' };

/** Returns which node made each recorded call, or undefined if the machines cannot have made them in this order. */
function whoCalled(exchanges: readonly Exchange[]): readonly string[] | undefined {
  const { token, nodes } = nodesOf(exchanges);
  // A node that finds the cluster full has no name here, and neither has the proxy that it becomes, which makes the
  // same reads.
  const machinesAfter = (callers: readonly number[]): NodeV2[] | undefined => {
    const machines = [...nodes, NOBODY, NOBODY].map((each) => new NodeV2(each, token));
    for (const [i, caller] of callers.entries()) {
      const exchange = exchanges[i];
      const machine = machines[caller];
      const call = machine?.next();
      if (exchange === undefined || machine === undefined || call === undefined) return undefined;
      const { method, path, body } = exchange.request;
      if (callText(call) !== `${method} ${path}${body ? ` ${body}` : ''}`) return undefined;
      const { status, headers, body: answer } = exchange.response;
      machine.take({ type: 'HTTP', status, index: BigInt(headers['x-etcd-index'] ?? 0), body: answer });
    }
    return machines;
  };
  const search = (callers: readonly number[]): readonly string[] | undefined => {
    const machines = machinesAfter(callers);
    if (machines === undefined) return undefined;
    if (callers.length === exchanges.length) {
      return machines.slice(0, nodes.length).every(({ outcome }) => outcome !== undefined)
        ? callers.map((caller) => nodes[caller]?.name ?? NOBODY.name)
        : undefined;
    }
    for (let caller = 0; caller < nodes.length + 2; caller++) {
      const found = search([...callers, caller]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search([]);
}

for (const series of ['3.4', '3.5']) {
  test(`the state machine makes the calls recorded from nodes of etcd ${series}`, () => {
    const exchanges = recorded(`bootstrap-etcd-${series}.jsonl`);
    const callers = whoCalled(exchanges);
    assert.ok(callers !== undefined, 'every recorded call is the next call of some node');
    assert.ok(new Set(callers).size >= 3);
  });
}
