import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

/** A complete response. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Sent {
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** A response whose headers have arrived and whose body may follow. */
export interface OpenAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Returns the body received so far. */
  soFar(): string;
  ended(): boolean;
  /** The whole body. Rejects if the response is cut off. */
  readonly body: Promise<string>;
  /** Closes the connection. */
  abort(): void;
}

// A connection per request, so that no wait delays another request.
const agent = new Agent({ keepAlive: false });
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** Sends a request, with a body like curl -d. Resolves with the response headers. */
export function open(url: string, method: string, path: string, sent: Sent = {}): Promise<OpenAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const headers = { ...(sent.body !== undefined && FORM), ...sent.headers };
    const outgoing = request({ agent, hostname, port, method, path, headers });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => resolve(openAnswer(incoming)));
    outgoing.end(sent.body);
  });
}

function openAnswer(incoming: IncomingMessage): OpenAnswer {
  let text = '';
  incoming.setEncoding('utf8');
  const body = new Promise<string>((resolve, reject) => {
    incoming.on('data', (chunk: string) => {
      text += chunk;
    });
    incoming.on('end', () => resolve(text));
    incoming.on('error', reject);
  });
  // Not every test that aborts awaits the body.
  body.catch(() => {});
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    soFar: () => text,
    ended: () => incoming.readableEnded,
    body,
    abort: () => incoming.destroy(),
  };
}

/** Sends a request and resolves with the complete response. */
export async function send(url: string, method: string, path: string, sent: Sent = {}): Promise<Answer> {
  const { status, headers, body } = await open(url, method, path, sent);
  return { status, headers, body: await body };
}

/** The v2 response in a body. */
export interface V2Body {
  readonly action?: string;
  readonly node?: V2Node;
  readonly prevNode?: V2Node;
  readonly errorCode?: number;
  readonly message?: string;
  readonly cause?: string;
  readonly index?: number;
}

export interface V2Node {
  readonly key: string;
  readonly value?: string;
  readonly dir?: boolean;
  readonly nodes?: readonly V2Node[];
  readonly modifiedIndex: number;
  readonly createdIndex: number;
}

export function v2(answer: { readonly body: string }): V2Body {
  return JSON.parse(answer.body) as V2Body;
}

/** Returns the body with which a node of etcd registers. */
export function value(text: string): Sent {
  return { body: `value=${encodeURIComponent(text)}` };
}
