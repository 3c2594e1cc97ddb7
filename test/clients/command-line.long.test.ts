import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { onPath, ROOT, type Tool } from '../support/programs.ts';
import { type RunningService, startService } from '../support/service.ts';
import { STORY } from './story.ts';
import { BUF, grpcurl } from './tools.ts';

// Common command-line tools, without our schema.

const run = promisify(execFile);
const SERVICE = 'discovery.v1.DiscoveryService';

/** The inspected part of a tool's output for a message or a failed call. */
interface Message {
  readonly cluster?: { readonly token: string; readonly size: number };
  readonly member?: { readonly name: string };
  readonly members?: ReadonlyArray<{ readonly name: string }>;
  readonly initialCluster?: string;
  readonly snapshot?: Message;
  readonly event?: { readonly state: string; readonly member: { readonly name: string } };
}
interface Refusal {
  readonly reason: string;
  readonly member: { readonly name: string };
}

interface Way {
  /** Returns the command for a call, with its input. */
  command(method: string, request: object): { path: string; args: string[]; input?: Buffer };
  /** Returns the messages of a stream from the output. */
  messages(output: Readable): AsyncIterable<Message>;
  /** Returns the error detail from the output of a failed call. */
  refusal(printed: { stdout: string; stderr: string }): Refusal;
}

// Before any hook: Node.js 20 runs hooks of a file before tests that follow a top-level `await`.
const found: Tool = await grpcurl();
const noCurl = onPath('curl') === undefined && 'no curl on PATH';
const tools = { grpcurl: found.path ?? '', buf: BUF };

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

const host = (): string => new URL(service.url).host;

const GRPCURL: Way = {
  command: (method, request) => ({
    path: tools.grpcurl,
    args: ['-plaintext', '-format-error', '-d', JSON.stringify(request), host(), `${SERVICE}/${method}`],
  }),
  messages: printed,
  refusal: ({ stderr }) => the((JSON.parse(stderr) as { details: Refusal[] }).details[0]),
};

const BUF_CURL: Way = {
  command: (method, request) => ({
    path: tools.buf,
    args: [
      'curl',
      '--http2-prior-knowledge',
      '-d',
      JSON.stringify(request),
      `${service.url}/${SERVICE}/${method}`,
    ],
  }),
  messages: printed,
  refusal: ({ stderr }) =>
    the((JSON.parse(stderr) as { details: Array<{ debug: Refusal }> }).details[0]).debug,
};

/** Connect's JSON by hand: reads by GET, and envelopes in a stream. */
const CURL: Way = {
  command(method, request) {
    const url = `${service.url}/${SERVICE}/${method}`;
    const body = JSON.stringify(request);
    const json = ['-H', 'Content-Type: application/json', '-d', body];
    if (method === 'ListMembers') {
      const query = ['connect=v1', 'encoding=json', `message=${body}`];
      return { path: 'curl', args: ['-sG', url, ...query.flatMap((each) => ['--data-urlencode', each])] };
    }
    if (method !== 'WatchMembers') return { path: 'curl', args: ['-s', '--fail-with-body', ...json, url] };
    const length = Buffer.alloc(5);
    length.writeUInt32BE(Buffer.byteLength(body), 1);
    return {
      path: 'curl',
      args: ['-sN', '-H', 'Content-Type: application/connect+json', '--data-binary', '@-', url],
      input: Buffer.concat([length, Buffer.from(body)]),
    };
  },
  async *messages(output) {
    let bytes = Buffer.alloc(0);
    for await (const chunk of output as AsyncIterable<Buffer>) {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
        const end = 5 + bytes.readUInt32BE(1);
        yield JSON.parse(bytes.toString('utf8', 5, end)) as Message;
        bytes = bytes.subarray(end);
      }
    }
  },
  refusal: ({ stdout }) =>
    the((JSON.parse(stdout) as { details: Array<{ debug: Refusal }> }).details[0]).debug,
};

/** Returns the objects that a tool prints one after the other, each on several lines. */
async function* printed(output: Readable): AsyncGenerator<Message> {
  let text = '';
  for await (const line of createInterface(output)) {
    text += `${line}\n`;
    if (line !== '}') continue;
    yield JSON.parse(text) as Message;
    text = '';
  }
}

function the<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}

async function story(way: Way): Promise<string[]> {
  const events: string[] = [];
  const call = async (method: string, request: object): Promise<Message> => {
    const { path, args } = way.command(method, request);
    const { stdout } = await run(path, args, { cwd: '/', timeout: 30_000 });
    return JSON.parse(stdout) as Message;
  };
  const names = (members: Message['members']): string => (members ?? []).map(({ name }) => name).join();
  const node = (token: string, i: number, name: string): object => ({
    token,
    memberId: String(i),
    name,
    peerUrls: [`http://10.0.0.${i}:2380`],
  });

  const { cluster } = await call('CreateToken', { size: 2 });
  assert.ok(cluster);
  const { token } = cluster;
  events.push(`created ${cluster.size}`);
  events.push(`registered ${(await call('Register', node(token, 1, 'infra1'))).member?.name}`);
  events.push(`listed ${names((await call('ListMembers', { token })).members)}`);
  const refused = await call('Register', node(token, 2, 'infra1')).then(
    () => assert.fail('a second infra1 was not rejected'),
    (printed: { stdout: string; stderr: string }) => way.refusal(printed),
  );
  events.push(`refused ${refused.reason} by ${refused.member.name}`);

  const { path, args, input } = way.command('WatchMembers', { token });
  const watch = spawn(path, args, { cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] });
  watch.stdin.end(input);
  try {
    for await (const { snapshot, event } of way.messages(watch.stdout)) {
      if (snapshot !== undefined) {
        events.push(`snapshot ${names(snapshot.members)}`);
        await call('Register', node(token, 2, 'infra2'));
      } else if (event !== undefined) {
        events.push(`event ${event.member.name} ${event.state}`);
        break;
      }
    }
  } finally {
    watch.kill();
  }
  events.push(`initial_cluster ${(await call('ListMembers', { token })).initialCluster}`);
  return events;
}

test("curl works with Connect's JSON, with reads by GET", { skip: noCurl }, async () => {
  assert.deepEqual(await story(CURL), STORY);
});

for (const [name, way] of Object.entries({ grpcurl: GRPCURL, 'buf curl': BUF_CURL })) {
  suite(name, { skip: name === 'grpcurl' && found.missing }, () => {
    test('creates, registers, lists, gets an error, and watches until the cluster is complete', async () => {
      assert.deepEqual(await story(way), STORY);
    });

    test('lists the services', async () => {
      const [path, args] =
        name === 'grpcurl'
          ? [tools.grpcurl, ['-plaintext', host(), 'list']]
          : [tools.buf, ['curl', '--http2-prior-knowledge', '--list-services', service.url]];
      const { stdout } = await run(path, args, { cwd: '/' });
      assert.match(stdout, /^discovery\.v1\.DiscoveryService$/m);
      assert.match(stdout, /^grpc\.health\.v1\.Health$/m);
    });
  });
}

test('grpcurl describes every service, and checks health like a probe', {
  skip: found.missing,
}, async () => {
  const ask = async (...args: string[]): Promise<string> =>
    (await run(tools.grpcurl, ['-plaintext', ...args], { cwd: '/' })).stdout;
  const { stdout: services } = await run(tools.grpcurl, ['-plaintext', host(), 'list']);
  for (const each of services.trim().split('\n')) await ask(host(), 'describe', each);
  assert.match(await ask(host(), 'describe', `${SERVICE}.Register`), /RegisterRequest/);
  assert.match(await ask(host(), 'describe', '.discovery.v1.ErrorDetail'), /compact_revision = 8/);
  assert.match(await ask(host(), 'grpc.health.v1.Health/Check'), /"SERVING"/);
});

test('the commands of the guide for grpcurl and buf curl work', { skip: found.missing }, async () => {
  const markdown = readFileSync(join(ROOT, 'docs', 'guides', 'other-clients.md'), 'utf8');
  const [, lines = ''] = /^```bash\n(grpcurl[\s\S]*?)^```/m.exec(markdown) ?? [];
  assert.match(lines, /buf curl/);
  const script = lines
    .replaceAll('localhost:8087', host())
    .replace(/^grpcurl/gm, tools.grpcurl)
    .replace(/^buf/gm, tools.buf);
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script]);
  assert.match(stdout, /rpc Register/);
  assert.match(stdout, /"by-grpcurl"[\s\S]*"by-grpcurl"/);
});
