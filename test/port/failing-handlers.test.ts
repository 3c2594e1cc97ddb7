import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import type { PortHandler, PortResponse } from '../../src/port/port.ts';
import { waitFor } from '../support/wait.ts';
import { assertServes } from './support/alive.ts';
import { open, openSession, openStream } from './support/clients.ts';
import { openPlainPort, type PlainPort } from './support/plain.ts';

/** Failures of a handler, and what the client gets: a status, or undefined for a broken connection. */
const FAILURES: Readonly<
  Record<string, [status: number | undefined, fail: (response: PortResponse) => unknown]>
> = {
  throws: [
    500,
    () => {
      throw new Error('planted');
    },
  ],
  rejects: [500, async () => Promise.reject(new Error('planted'))],
  'rejects without an error': [
    500,
    () => new Promise((_, reject) => (reject as (reason: string) => void)('planted')),
  ],
  'throws after it set headers': [
    500,
    (response) => {
      response.statusCode = 201;
      response.setHeader('Content-Length', 3);
      throw new Error('planted');
    },
  ],
  'sets an invalid status': [
    500,
    (response) => {
      response.statusCode = 99;
      response.end();
    },
  ],
  'throws after it began the response': [
    undefined,
    (response) => {
      response.writeHead(200);
      (response as Writable).write('half');
      throw new Error('planted');
    },
  ],
};

let port: PlainPort;
const handler: PortHandler = (request, response) => {
  const name = decodeURIComponent(request.url?.slice(1) ?? '');
  if (name === 'writes-after-the-end') {
    response.end('done');
    (response as Writable).write('more');
    return undefined;
  }
  const failure = FAILURES[name];
  return failure === undefined ? response.end() : failure[1](response);
};
before(async () => {
  port = await openPlainPort(handler, {});
});
after(() => port.drain(0));

for (const [name, [status]] of Object.entries(FAILURES)) {
  test(`a handler that ${name} fails its own client's request only, and is logged`, async () => {
    const path = `/${encodeURIComponent(name)}`;
    const session = openSession(port.port);
    const before = port.logged.length;
    const results = [
      (async () => {
        const answer = await open(port.port, path);
        await answer.body;
        return answer.status;
      })(),
      (async () => {
        const answer = await openStream(session, path);
        await answer.body;
        return answer.status;
      })(),
    ].map((result) => result.catch(() => undefined));
    assert.deepEqual(await Promise.all(results), [status, status]);
    await waitFor('two lines', () => port.logged.length === before + 2);
    for (const line of port.logged.slice(before)) {
      assert.equal(line.text, 'a request handler failed');
      assert.ok(!JSON.stringify(line).includes(path), 'a path may contain a token');
    }
    session.destroy();
    await assertServes(port.port);
  });
}

test('writing after the end does not affect other clients', async () => {
  assert.equal(await (await open(port.port, '/writes-after-the-end')).body, 'done');
  const session = openSession(port.port);
  // Node.js closes the stream itself, before or after the response, depending on its version.
  await openStream(session, '/writes-after-the-end').catch(() => {});
  assert.equal((await openStream(session, '/')).status, 200);
  session.destroy();
  await assertServes(port.port);
});
