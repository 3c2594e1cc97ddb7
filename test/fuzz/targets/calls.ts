// Whole requests of the typed API and of etcd's v3 API, several in a row, on a service with a store in memory.

import assert from 'node:assert/strict';
import { fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  createContextValues,
  createServiceImplSpec,
  type MethodImplSpec,
  type ServiceImplSpec,
} from '@connectrpc/connect';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/discovery/v1/error_pb.ts';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { peerAddress } from '../../../src/discovery/parse.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { etcdV3Gateway } from '../../../src/etcdv3/gateway.ts';
import { CLUSTER_LIMITS } from '../../../src/limits.ts';
import { inProcessClient } from '../../../src/rpc/client.ts';
import { discoveryService } from '../../../src/rpc/service.ts';
import { type Disk, emptyDisk, openMemoryStore } from '../../store/support/memory.ts';
import { mutatedJson } from '../json.ts';
import { messageFrom } from '../message.ts';
import type { Target } from '../target.ts';
import { assertFit } from '../words.ts';

/** A secret that no response may contain. An input has it by a chance of 2^-128. */
const VICTIM = '6f2c1d0a9b8e7f5d4c3b2a190817f6e5';
const HIDDEN = 'member-of-the-victim';

/** The codes for client errors. */
const REFUSALS: readonly Code[] = [
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.ResourceExhausted,
  Code.FailedPrecondition,
  Code.Aborted,
  Code.OutOfRange,
  Code.Unimplemented,
  Code.Unauthenticated,
];

interface Api {
  readonly disk: Disk;
  readonly services: ReadonlyMap<string, ServiceImplSpec>;
}
type Handler = (request: unknown, context: object) => unknown;

/** Opens a service with two tokens: `t` for all, and `guarded`, which needs a secret. */
async function openApi(): Promise<Api> {
  const disk = emptyDisk();
  const policy = { ...DEFAULT_POLICY, maxTokens: 20 };
  const discovery = new Discovery(openMemoryStore(disk, policy), policy);
  const onDefect = (defect: unknown): void => {
    throw new Error('a defect', { cause: defect });
  };
  const service = discoveryService(discovery, onDefect);
  const client = inProcessClient(service);
  for (const token of ['t', 'guarded', VICTIM]) {
    await client.createToken({ token, size: 2, guard: token === 'guarded' ? [1] : [] });
    const name = token === 't' ? 'infra1' : HIDDEN;
    const member = { memberId: 'a', name, peerUrls: ['http://10.0.0.1:2380'] };
    if (token !== 'guarded') await client.register({ token, ...member });
  }
  const { signal } = new AbortController();
  const identity = { clusterId: 1n, memberId: 2n };
  const v3 = etcdV3Gateway(() => client, {
    identity,
    urlFor: () => 'http://here:1',
    signIn: () => undefined,
    stopping: signal,
    onDefect,
  });
  const discoveryApi = createServiceImplSpec<typeof DiscoveryService>(DiscoveryService, service);
  const services = new Map(v3.map((spec) => [spec.service.name, spec]));
  return { disk, services: services.set('Discovery', discoveryApi) };
}

const keyWords = `t guarded ${'0'.repeat(32)} /_etcd/registry/t /_etcd/registry/t/members /_etcd/registry/t/membert
  /_etcd/registry/t/_config/size /_etcd/registry/t/members/a /_etcd/registry/t/members/b /_etcd/registry/t0
  /_etcd/registry/ /_etcd/registry/guarded/members /_etcd/registry0 \0 a b 3 infra1=http://10.0.0.1:2380
  infra2=http://10.0.0.2:2380 infra1 infra2 http://10.0.0.1:2380 http://10.0.0.2:2380 infra\u202e t:secret guarded:x health`;
const fields = `key rangeEnd limit revision sortOrder sortTarget keysOnly countOnly minModRevision value lease prevKv
  ignoreValue compare success failure requestRange requestPut requestDeleteRange requestTxn result target version
  createRevision modRevision createRequest cancelRequest progressRequest startRevision filters watchId token size ttl
  seconds nanos description allowRejoin guard memberId name peerUrls mode whenFull expectedModRevision afterRevision`;
const words = `${keyWords} ${fields}`.split(/\s+/);

const calls: Target = {
  name: 'calls',
  words: [
    ...words.map((word) => JSON.stringify(word)),
    ...`KV/Range KV/Put KV/DeleteRange KV/Txn Watch/Watch Discovery/Register Discovery/ListMembers
      Discovery/WatchMembers Discovery/CreateToken Discovery/Deregister Discovery/DeleteToken Discovery/ReopenToken
      Discovery/GetCluster Discovery/GetServiceInfo Maintenance/Alarm Auth/Authenticate`
      .split(/\s+/)
      .map((name) => `\n${name} {}`),
  ],
  share: 0.5,
  mutate(input, random) {
    const lines = input.toString().split('\n');
    const at = random.between(0, lines.length - 1);
    const [name, json] = partsOf(lines[at] ?? '');
    lines[at] = `${name} ${mutatedJson(json, random, words)}`;
    return Buffer.from(lines.join('\n'));
  },
  /** Lines of `Service/Method JSON`. */
  async check(input) {
    const api = await openApi();
    const lines = input.toString().split('\n');
    for (const line of lines.slice(0, 12)) {
      const [name, text] = partsOf(line);
      const [service = '', method = ''] = name.split('/');
      const methods = Object.values(api.services.get(service)?.methods ?? {});
      const called = methods.find((each) => each.method.name === method);
      if (called === undefined) continue;
      let json: unknown;
      try {
        json = JSON.parse(text);
      } catch {
        continue;
      }
      await assertAnswered(called, messageFrom(called.method.input, json), service === 'Discovery');
    }
    assertLaws(api.disk);
  },
};

function partsOf(line: string): [name: string, json: string] {
  const space = line.indexOf(' ');
  return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
}

async function assertAnswered(
  { method, impl }: MethodImplSpec,
  request: Message,
  isTyped: boolean,
): Promise<void> {
  const abort = new AbortController();
  const context = { signal: abort.signal, values: createContextValues(), url: 'http://here:1/x' };
  try {
    const handler = impl as Handler;
    if (method.methodKind === 'unary') return assertMessage(method, await handler(request, context));
    const asked = method.methodKind === 'server_streaming' ? request : thenSilence(request, abort.signal);
    const answers = handler(asked, context) as AsyncGenerator;
    for (let next = answers.next(); ; next = answers.next()) {
      const answer = await Promise.race([next, turns(4)]);
      if (answer === undefined) {
        abort.abort(new ConnectError('enough', Code.Canceled));
        await next.catch(() => {});
        return;
      }
      if (answer.done === true) return;
      assertMessage(method, answer.value);
    }
  } catch (thrown) {
    if (!(thrown instanceof ConnectError)) throw thrown;
    assert.ok(REFUSALS.includes(thrown.code), `it is rejected as ${Code[thrown.code]}: ${thrown.rawMessage}`);
    assertFit(thrown.rawMessage);
    const [detail] = thrown.findDetails(ErrorDetailSchema);
    if (isTyped) assert.ok(detail !== undefined && detail.reason !== ErrorReason.UNSPECIFIED);
    assertUnseen(Buffer.from(thrown.rawMessage));
    if (detail !== undefined) assertUnseen(toBinary(ErrorDetailSchema, detail));
  } finally {
    abort.abort();
  }
}

async function* thenSilence(request: Message, signal: AbortSignal): AsyncGenerator<Message> {
  yield request;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

async function turns(count: number): Promise<undefined> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
  return undefined;
}

/** Asserts that a response can be encoded, and reads back. */
function assertMessage({ output }: MethodImplSpec['method'], message: unknown): void {
  const bytes = toBinary(output, message as Message);
  assert.deepEqual(toBinary(output, fromBinary(output, bytes)), bytes);
  assertUnseen(bytes);
}

function assertUnseen(bytes: Uint8Array): void {
  const text = Buffer.from(bytes).toString('latin1');
  for (const secret of [VICTIM, HIDDEN])
    assert.ok(!text.includes(secret), 'a response reveals another cluster');
}

/** Asserts what every store ensures for any input. */
function assertLaws({ clusters }: Disk): void {
  for (const { token, size, members } of clusters.values()) {
    assert.ok(members.length <= size + CLUSTER_LIMITS.standbys);
    const keys = members.flatMap(({ id, name, peerUrls }) => [
      `id ${id}`,
      `name ${name}`,
      ...peerUrls.map(peerAddress),
    ]);
    assert.equal(new Set(keys).size, keys.length, 'members share nothing');
    if (token === VICTIM) assert.equal(members.length, 1);
  }
}

export const CALL_TARGETS: readonly Target[] = [calls];
