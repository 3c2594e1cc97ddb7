// Usual calls of Connect do not use connect-node's adapter: these tests compare their responses with the adapter's.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { createServiceImplSpec } from '@connectrpc/connect';
import { DiscoveryService, GetClusterRequestSchema } from '../../../gen/discovery/v1/service_pb.ts';
import { openPort, type Port } from '../../../src/port/port.ts';
import { usualForm } from '../../../src/server/rpc/connect-head.ts';
import { forClients } from '../../../src/server/rpc/connect-words.ts';
import { rpcHandler } from '../../../src/server/rpc/handler.ts';
import type { Outcome } from '../../../src/server/rpc/outcome.ts';
import { adapterOf, MAX_BYTES } from './adapter.ts';
import { getCluster } from './get-cluster.ts';

const PATH = '/discovery.v1.DiscoveryService/GetCluster';
const SERVICES = [createServiceImplSpec<typeof DiscoveryService>(DiscoveryService, { getCluster })];

const json = (token: string): Buffer => Buffer.from(JSON.stringify({ token }));
const proto = (token: string): Buffer =>
  Buffer.from(toBinary(GetClusterRequestSchema, create(GetClusterRequestSchema, { token })));
const inBytes = (body: Buffer): Buffer[] => [...body].map((byte) => Buffer.of(byte));
const PROTO = { 'content-type': 'application/proto' };
const GZIP = { 'accept-encoding': 'br, gzip' };
const CHUNKED = { 'transfer-encoding': 'chunked' };

type Call = readonly [pieces: readonly Buffer[], headers?: Record<string, string>];

/** Calls that are answered without the adapter, unless with an error. */
const USUAL: Readonly<Record<string, Call>> = {
  'in JSON': [[json('a')]],
  'in protobuf': [[proto('a')], PROTO],
  'with a charset': [[json('a')], { 'content-type': 'application/json; charset=utf-8' }],
  'in single bytes': [inBytes(json('a'))],
  'in protobuf, in single bytes': [inBytes(proto('a')), PROTO],
  'with its version': [[json('a')], { 'connect-protocol-version': '1' }],
  'with an error that has a detail': [[json('refused')]],
  'in protobuf, with an error that has a detail': [[proto('refused')], PROTO],
  'with an error, for a client that accepts gzip': [[json('refused')], GZIP],
  'with a defect': [[json('defect')]],
  'with headers and trailers of the handler': [[json('headers')]],
  'with the whole context': [[json('context')], { 'connect-timeout-ms': '9000', 'x-asked': 'yes' }],
  'with an exceeded deadline': [[json('deadline')], { 'connect-timeout-ms': '300' }],
  'with an empty message in protobuf': [[], { ...PROTO, 'content-length': '0' }],
  'with an empty body': [[], { 'content-length': '0' }],
  'with an unknown field': [[Buffer.from('{"tokn":"a"}')]],
  'with a field twice': [[Buffer.from('{"token":"a","token":"b"}')]],
  'that is not JSON': [[Buffer.from('{"token":')]],
  'that is not UTF-8': [[Buffer.from([...json('a\u00ff')].with(10, 0xff))]],
  'with a long response': [[json('long')]],
  'with a long response, for a client that accepts gzip': [[json('long')], GZIP],
  'with a long response, for a client that accepts something else': [
    [json('long')],
    { 'accept-encoding': 'xgzip, br' },
  ],
  'without compression by name': [[json('a')], { 'content-encoding': 'identity' }],
};

/** Calls that the adapter answers. */
const UNUSUAL: Readonly<Record<string, Call>> = {
  'of unknown length': [[json('a')], CHUNKED],
  'with an invalid deadline': [[json('a')], { 'connect-timeout-ms': 'soon' }],
  'with a message that is too large': [[json('x'.repeat(MAX_BYTES))]],
  'with a message that is too large, of unknown length': [[json('x'.repeat(MAX_BYTES))], CHUNKED],
  'that is compressed': [[gzipSync(json('a'))], { 'content-encoding': 'gzip' }],
  'with an unknown compression': [[json('a')], { 'content-encoding': 'lzma' }],
};

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('a call of Connect', () => {
  const outcomes: Outcome[] = [];
  const defects: unknown[] = [];
  const forms: unknown[] = [];
  const rpc = rpcHandler(SERVICES);
  let ours: Port;
  const adapter = createServer(adapterOf(SERVICES));
  before(async () => {
    ours = await openPort({
      host: '127.0.0.1',
      port: 0,
      log: { warn() {}, error: ({ err }: { readonly err?: unknown }) => void defects.push(err) },
      handler(request, response) {
        const outcome: Outcome = {};
        outcomes.push(outcome);
        forms.push(usualForm(request, MAX_BYTES));
        return rpc.request(request, response, outcome);
      },
    });
    await once(adapter.listen(0, '127.0.0.1'), 'listening');
  });
  after(async () => {
    adapter.close();
    await ours.drain(0);
    assert.deepEqual(defects, []);
  });

  const both = async (pieces: readonly Buffer[], headers: Record<string, string>): Promise<void> => {
    const theirs = await post((adapter.address() as AddressInfo).port, pieces, headers);
    // Twice, because the second time bytes are known.
    for (let round = 0; round < 2; round += 1) {
      assert.deepEqual(await post(ours.port, pieces, headers), theirs);
    }
  };

  for (const [name, [pieces, headers = {}]] of Object.entries(USUAL)) {
    test(name, async () => {
      await both(pieces, headers);
      assert.notEqual(forms.at(-1), undefined);
    });
  }

  for (const [name, [pieces, headers = {}]] of Object.entries(UNUSUAL)) {
    test(`${name}, by the adapter`, async () => {
      await both(pieces, headers);
      assert.equal(forms.at(-1), undefined);
    });
  }

  test('its outcome is recorded', async () => {
    const codeOf = async (token: string): Promise<string | undefined> => {
      await post(ours.port, [json(token)], {});
      return outcomes.at(-1)?.code;
    };
    assert.equal(await codeOf('a'), 'ok');
    assert.equal(await codeOf('refused'), 'not_found');
  });

  test('the client that breaks it off cancels it', async () => {
    const call = request({ port: ours.port, path: PATH, method: 'POST', headers: { ...JSON_TYPE } });
    call.on('error', () => {});
    call.end(json('deadline'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = outcomes.length;
    call.destroy();
    await post(ours.port, [json('a')], {});
    assert.equal(outcomes.length, before + 1);
    assert.equal(outcomes.at(-2)?.code, 'canceled');
  });
});

const JSON_TYPE = { 'content-type': 'application/json' };

async function post(
  port: number,
  pieces: readonly Buffer[],
  headers: Record<string, string>,
): Promise<Answer> {
  const length = pieces.reduce((sum, { length }) => sum + length, 0);
  const known = 'transfer-encoding' in headers ? {} : { 'content-length': String(length) };
  const call = request({ port, path: PATH, method: 'POST', headers: { ...JSON_TYPE, ...known, ...headers } });
  // An error may come before everything is sent.
  call.on('error', () => {});
  const answered = once(call, 'response') as Promise<[IncomingMessage]>;
  for (const piece of pieces) {
    call.write(piece);
    // Sends each piece as a separate segment.
    await new Promise((resolve) => setImmediate(resolve));
  }
  call.end();
  const [response] = await answered;
  const body = await buffer(response);
  const { date: _date, connection: _connection, 'keep-alive': _keepAlive, ...rest } = response.headers;
  const answer = { status: response.statusCode, headers: rest, body: body.toString('latin1') };
  return response.statusCode === 200 ? answer : inWords(answer);
}

/** Errors of Connect itself have other words here, on either path. */
function inWords({ status, headers, body }: Answer): Answer {
  const { 'content-length': _length, 'accept-encoding': _accepted, ...rest } = headers;
  if (headers['content-type'] !== 'application/json' || 'content-encoding' in headers)
    return { status, headers: rest, body };
  const error = JSON.parse(body) as { message?: string };
  return {
    status,
    headers: rest,
    body: JSON.stringify({ ...error, message: forClients(error.message ?? '') }),
  };
}
