import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { type RunningService, startService } from '../../support/service.ts';

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

/** Returns everything that the service sends in response to these bytes, until it closes. */
async function exchange(bytes: string): Promise<string> {
  const socket = connect(service.port, '127.0.0.1');
  let heard = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    heard += chunk;
  });
  socket.write(bytes);
  await once(socket, 'close');
  return heard;
}

const get = (target: string, host: string): Promise<string> =>
  exchange(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

const memberList = (host: string): Promise<string> =>
  exchange(
    `POST /etcdserverpb.Cluster/MemberList HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n` +
      'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
  );

suite('the URL by which a client reached the service', () => {
  for (const host of ['disc.example', 'Disc.example:80', '[::1]:8087', '10.0.0.1', 'a_b~c:1']) {
    test(`${host}: every response contains it`, async () => {
      assert.ok((await get('/', host)).includes(`curl 'http://${host}/new?size=3'`));
      assert.match(
        await get('/new?size=1', host),
        new RegExp(`http://${host.replace(/[[\]]/g, '\\$&')}/[0-9a-f]{32}$`),
      );
      assert.ok((await memberList(host)).includes(`"http://${host}"`));
    });
  }

  for (const host of [
    "a';id;'b",
    'x$(id)',
    "x'y",
    'a&b',
    'a`id`',
    'a b',
    'evil/x',
    'user@evil',
    'a?b',
    'a%41',
  ]) {
    test(`${host}: no response contains it`, async () => {
      for (const answer of [await get('/', host), await get('/new?size=1', host), await memberList(host)]) {
        assert.match(answer, /^HTTP\/1\.1 400 [^]*Host .*is not a host name/);
        assert.ok(!answer.includes(host), answer);
      }
    });
  }

  test('the same over HTTP/2', async () => {
    const session = connectHttp2(service.url);
    const ask = async (
      target: string,
      host: string,
    ): Promise<{ status: number | undefined; body: string }> => {
      const stream = session.request({ ':path': target, ':authority': host });
      let status: number | undefined;
      stream.on('response', (headers) => {
        status = headers[':status'];
      });
      return { body: await text(stream), status };
    };
    for (const target of ['/', '/new?size=1']) {
      for (const host of ["a';id;'b", 'x$(id)']) {
        const { status, body } = await ask(target, host);
        assert.equal(status, 400);
        assert.ok(!body.includes(host), body);
      }
      const { status, body } = await ask(target, 'disc.example');
      assert.equal(status, 200);
      assert.ok(body.includes('http://disc.example/'), body);
    }
    session.close();
  });

  test('without a host, a response has the address of the connection', async () => {
    const answer = await exchange('GET /new?size=1 HTTP/1.0\r\n\r\n');
    assert.match(answer, new RegExp(`http://127\\.0\\.0\\.1:${service.port}/[0-9a-f]{32}$`));
  });
});
