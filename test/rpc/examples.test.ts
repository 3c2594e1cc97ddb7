import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromJson, type JsonObject, type JsonValue, toJson } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import {
  DiscoveryService,
  WatchMembersRequestSchema,
  WatchMembersResponseSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import { startService } from '../support/service.ts';

interface Example {
  readonly request: JsonObject;
  readonly response: JsonObject;
}

/** Fields that differ between services and moments. */
const OWN = /(?:Time|^revision|Revision|^version)$/;

function likeExamples(value: JsonValue, key = ''): JsonValue {
  if (Array.isArray(value)) return value.map((each) => likeExamples(each));
  if (typeof value !== 'object' || value === null) return OWN.test(key) ? typeof value : value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, likeExamples(each, name)]));
}

test('the service answers like the examples in the reference, in their order', async (t) => {
  const examples = JSON.parse(readFileSync('src/dev/api-examples.json', 'utf8')) as Record<string, Example>;
  const service = await startService();
  t.after(() => service.stop());
  let played = 0;
  for (const [name, { request, response }] of Object.entries(examples)) {
    // Other services need an operator.
    if (!DiscoveryService.methods.some((method) => method.name === name)) continue;
    const actual =
      name === 'WatchMembers'
        ? await firstOfWatch(service.url, request)
        : await post(service.url, name, request);
    assert.deepEqual(likeExamples(actual), likeExamples(response), name);
    played += 1;
  }
  assert.equal(played, DiscoveryService.methods.length);
});

async function post(url: string, name: string, request: JsonObject): Promise<JsonValue> {
  const answer = await fetch(`${url}/${DiscoveryService.typeName}/${name}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(request),
  });
  return (await answer.json()) as JsonValue;
}

async function firstOfWatch(baseUrl: string, request: JsonObject): Promise<JsonValue> {
  const client = createClient(DiscoveryService, createConnectTransport({ baseUrl, httpVersion: '1.1' }));
  const end = new AbortController();
  const watch = client.watchMembers(fromJson(WatchMembersRequestSchema, request), { signal: end.signal });
  for await (const first of watch) {
    end.abort();
    return toJson(WatchMembersResponseSchema, first);
  }
  return null;
}
