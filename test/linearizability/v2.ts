import { Agent, request } from 'node:http';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { MESSAGES } from '../../src/etcdv2/errors.ts';
import { ROWS } from '../../src/etcdv2/reasons.ts';
import { type Call, type CallOutcome, peerUrlOf, type Register, type SeenMember } from './history.ts';
import { ok, outcomeFor } from './rpc.ts';

const CALL_LIMIT_MS = 5000;

interface Exchange {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly value?: string;
}

interface Node {
  readonly key: string;
  readonly value: string;
  readonly createdIndex: number;
  readonly modifiedIndex: number;
  readonly nodes?: readonly Node[];
}

/** Calls etcd's v2 dialect, as curl and a node with --discovery do. */
export async function v2(url: string, token: string, call: Call): Promise<CallOutcome> {
  let answer: { status: number; text: string; index: number };
  try {
    answer = await send(url, exchangeOf(`/${token}`, call));
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return { status: code === 'ECONNREFUSED' ? 'UNSENT' : 'UNKNOWN' };
  }
  const { status, text, index } = answer;
  if (status >= 500) return { status: 'UNKNOWN' };
  if (status >= 300) return outcomeFor(reasonsOf(JSON.parse(text) as { errorCode: number; message: string }));
  return { ...ok(index), ...factsOf(call, (JSON.parse(text) as { node: Node }).node) };
}

function exchangeOf(token: string, call: Call): Exchange {
  switch (call.kind) {
    case 'create':
      return { method: 'PUT', path: `${token}/_config/size`, value: String(call.size) };
    case 'register':
      return {
        method: 'PUT',
        path: `${token}/${call.id}${CONDITIONS[call.mode]}`,
        value: `${call.name}=${peerUrlOf(call.name)}`,
      };
    case 'deregister':
      return { method: 'DELETE', path: `${token}/${call.id}` };
    case 'delete':
      return { method: 'DELETE', path: `${token}?recursive=true` };
    case 'size':
      return { method: 'GET', path: `${token}/_config/size` };
    case 'list':
      return { method: 'GET', path: token };
    default:
      throw new TypeError(`the v2 dialect has no ${call.kind}`);
  }
}

const CONDITIONS: Readonly<Record<Register['mode'], string>> = {
  CREATE: '?prevExist=false',
  REPLACE: '?prevExist=true',
  SET: '',
};

function factsOf({ kind }: Call, node: Node): object {
  if (kind === 'size') return { size: Number(node.value) };
  if (kind === 'register') return { created: node.createdIndex, modified: node.modifiedIndex };
  return kind === 'list' ? { members: (node.nodes ?? []).map(seen).sort(byRank) } : {};
}

function seen({ key, value, createdIndex, modifiedIndex }: Node): SeenMember {
  const [id = '', name = ''] = [key.split('/').at(-1), value.split('=')[0]];
  return { id, name, created: createdIndex, modified: modifiedIndex };
}

/** Orders members as a node does. */
export function byRank(a: SeenMember, b: SeenMember): number {
  return a.created - b.created;
}

/** Returns every reason of the service that has this error in the dialect. */
function reasonsOf({ errorCode, message }: { errorCode: number; message: string }): string[] {
  return Object.entries(ErrorReason).flatMap(([name, reason]) => {
    const row = ROWS[reason];
    return row.errorCode === errorCode && (row.message ?? MESSAGES[row.errorCode]) === message ? [name] : [];
  });
}

// `fetch` would retry a PUT or a DELETE.
const agent = new Agent({ keepAlive: true });

function send(
  url: string,
  { method, path, value }: Exchange,
): Promise<{ status: number; text: string; index: number }> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(CALL_LIMIT_MS);
    const sent = request(`${url}${path}`, { method, agent, signal, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.once('error', reject);
      response.once('end', () => {
        const { statusCode = 0, headers: got } = response;
        resolve({ status: statusCode, text, index: Number(got['x-etcd-index']) });
      });
    });
    sent.once('error', reject);
    sent.end(value === undefined ? undefined : new URLSearchParams({ value }).toString());
  });
}
