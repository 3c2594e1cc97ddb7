import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { ListMembersRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import { createDiscoveryClient } from '../../src/client/node.ts';
import { calling, FLAG, frame, headers, PREFACE, setting, TYPE, uint32 } from '../port/support/frames.ts';
import { scrape } from '../support/scrape.ts';
import { waitFor } from '../support/wait.ts';
import { ATTACKER, BoundedService } from './support/bounded.ts';

const MEMBERS = 200;
/** Reads on one HTTP/1.1 connection: the kernel buffers the responses to half of them. */
const PIPELINED = 60;
/** Connections of a client: their responses are several times what the service buffers for it. */
const CONNECTIONS = 60;

describe('unread responses', () => {
  let service: BoundedService;
  let token: string;

  before(async () => {
    service = await BoundedService.start();
    token = await fillCluster(service.url);
    const size = (await (await fetch(`${service.url}/${token}`)).arrayBuffer()).byteLength;
    assert.ok(size > 100_000, `${size}`);
  });
  after(() => service.remove());

  /** Opens connections that send something and never read, and keeps them until some have been cut off. */
  async function sendWithoutReading(bytes: Buffer, localAddress: string): Promise<void> {
    const sockets = Array.from({ length: CONNECTIONS }, () =>
      send(connect({ port: service.port, host: '127.0.0.1', localAddress }), bytes),
    );
    try {
      await service.servesDuring(() => untilCutOff(service, 3));
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  }

  const pipelined = (): Buffer =>
    Buffer.from(`GET /${token} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`.repeat(PIPELINED));
  const streams = (): Buffer => {
    const message = toBinary(ListMembersRequestSchema, create(ListMembersRequestSchema, { token }));
    const body = Buffer.concat([Buffer.of(0), uint32(message.length), message]);
    const calls = Array.from({ length: 16 }, (_, index) => [
      headers(2 * index + 1, calling('/discovery.v1.DiscoveryService/ListMembers'), FLAG.END_HEADERS),
      frame(TYPE.DATA, FLAG.END_STREAM, 2 * index + 1, body),
    ]);
    // Its windows are of 0 bytes.
    const hello = [PREFACE, frame(TYPE.SETTINGS, FLAG.NONE, 0, setting(4, 0))];
    return Buffer.concat([...hello, ...calls.flat()]);
  };

  it('unread responses to one client that pipelines reads are bounded', async () => {
    await sendWithoutReading(pipelined(), ATTACKER);
    await service.assertWell();
  });

  it('unread responses to one client with many streams and no window are bounded', async () => {
    // Another address: a client that was cut off is rejected for a while.
    await sendWithoutReading(streams(), '127.0.0.3');
    await service.assertWell();
  });
});

/** Creates a cluster whose members nearly reach their maximum size. */
async function fillCluster(url: string): Promise<string> {
  const client = createDiscoveryClient(url);
  const { cluster } = await client.createToken({ size: MEMBERS });
  const token = cluster?.token ?? '';
  for (let member = 0; member < MEMBERS; member += 1) {
    const host = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(50)}`;
    const peerUrls = Array.from({ length: 2 }, (_, index) => `http://m${member}.${host}:${3000 + index}`);
    await client.register({ token, memberId: String(member), name: `n${member}`, peerUrls });
  }
  return token;
}

function send(socket: Socket, bytes: Buffer): Socket {
  socket.on('error', () => {});
  socket.pause();
  socket.write(bytes);
  return socket;
}

/** Waits until the service has cut off this many more. */
async function untilCutOff({ url }: BoundedService, more: number): Promise<void> {
  const cutOff = async (): Promise<number> =>
    (await scrape(url)).get('discovery_port_refusals_total{reason="unread"}') ?? Number.NaN;
  const then = await cutOff();
  await waitFor('slow readers to be cut off', async () => (await cutOff()) >= then + more);
}
