import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { OperatorService } from '../../gen/discovery/v1/operator_pb.ts';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import { type RunningService, startService } from '../support/service.ts';
import { misfits, type Schema } from './support/json-schema.ts';

interface Content {
  readonly schema: Schema;
  readonly example?: unknown;
}
interface Operation {
  readonly operationId: string;
  readonly requestBody: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: { readonly 200: { readonly content: Readonly<Record<string, Content>> } };
}
interface Document {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, { readonly post: Operation }>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const JSON_TYPE = 'application/json';

suite('the OpenAPI document', () => {
  let service: RunningService;
  let document: Document;
  before(async () => {
    service = await startService();
    document = (await (await fetch(`${service.url}/openapi.json`)).json()) as Document;
  });
  after(() => service.stop());
  const schemas = (): Document['components']['schemas'] => document.components.schemas;

  test('matches the generated file, with the URL that the client used', async () => {
    const answer = await fetch(`${service.url}/openapi.json`);
    assert.equal(answer.headers.get('content-type'), JSON_TYPE);
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    const generated = JSON.parse(readFileSync('gen/openapi.json', 'utf8')) as Document;
    assert.deepEqual(document, { ...generated, servers: [{ url: service.url }] });
    assert.match(document.openapi, /^3\.1\./);
  });

  test('keeps the path at which a proxy serves it', async (t) => {
    const below = await startService({}, { publicUrl: 'https://discovery.example/disc' });
    t.after(() => below.stop());
    for (const path of ['/openapi.json', '/disc/openapi.json']) {
      const { servers } = (await (await fetch(`${new URL(below.url).origin}${path}`)).json()) as Document;
      assert.deepEqual(servers, [{ url: 'https://discovery.example/disc' }], path);
    }
  });

  test('has every RPC under a unique id, and no dangling reference', () => {
    const rpcs = [DiscoveryService, OperatorService].flatMap(({ typeName, methods }) =>
      methods.map(({ name }) => `/${typeName}/${name}`),
    );
    assert.deepEqual(Object.keys(document.paths).sort(), rpcs.sort());
    assert.equal(
      new Set(Object.values(document.paths).map(({ post }) => post.operationId)).size,
      rpcs.length,
    );
    for (const [, ...path] of JSON.stringify(document).matchAll(/"\$ref":"#\/(\w+)\/(\w+)\/(\w+)"/g)) {
      const found = path.reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
      assert.ok(found, path.join('/'));
    }
  });

  test('has examples that match their schemas, and schemas that reject other values', () => {
    let seen = 0;
    for (const [path, { post }] of Object.entries(document.paths)) {
      for (const { content } of [post.requestBody, post.responses[200]]) {
        const json = content[JSON_TYPE];
        // Streams wrap their messages in envelopes.
        if (json === undefined) continue;
        assert.deepEqual(misfits(json.example, json.schema, schemas()), [], path);
        seen += 1;
      }
    }
    assert.equal(seen, 2 * (Object.keys(document.paths).length - 1));
    const register = { $ref: '#/components/schemas/RegisterRequest' };
    for (const wrong of [{ expectedModRevision: 1 }, { peerUrls: 'x' }, { mode: 'X' }, { no: 1 }, []]) {
      assert.notDeepEqual(misfits(wrong, register, schemas()), [], JSON.stringify(wrong));
    }
    const update = { $ref: '#/components/schemas/WatchMembersResponse' };
    assert.deepEqual(misfits({ heartbeat: {} }, update, schemas()), []);
    assert.notDeepEqual(misfits({ heartbeat: {}, started: {} }, update, schemas()), []);
  });

  test('describes the responses of each path: a message or an error', async () => {
    const seen = new Set<string>();
    for (const [path, { post }] of Object.entries(document.paths)) {
      const { content } = post.requestBody;
      const [type = ''] = Object.keys(content);
      const answer = await fetch(service.url + path, {
        method: 'POST',
        headers: { 'Content-Type': type },
        body: JSON.stringify(content[type]?.example ?? {}),
      });
      assert.equal(answer.headers.get('content-type'), type, path);
      if (type !== JSON_TYPE) {
        await answer.body?.cancel();
        continue;
      }
      const body: unknown = await answer.json();
      const good = post.responses[200].content[JSON_TYPE]?.schema;
      const schema = answer.ok && good ? good : { $ref: '#/components/schemas/ConnectError' };
      assert.deepEqual(misfits(body, schema, schemas()), [], `${path}: ${JSON.stringify(body)}`);
      assert.notEqual((body as { code?: string }).code, 'unimplemented', path);
      seen.add(answer.ok ? 'answered' : 'refused');
    }
    assert.deepEqual([...seen].sort(), ['answered', 'refused']);
  });
});
