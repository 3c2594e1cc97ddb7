import type { IncomingHttpHeaders } from 'node:http';

/** ServiceAccess is how to reach a service. */
export interface ServiceAccess {
  readonly server: string;
  /** What to trust and to present, in PEM. */
  readonly tls: Readonly<Partial<Record<'ca' | 'cert' | 'key', string>>>;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** UnexpectedAnswer is a response without the message that was asked for. */
export class UnexpectedAnswer extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`HTTP ${answer.status}`);
    this.answer = answer;
  }
}

/** Far more than any response of the service: the longest list has a thousand clusters. */
const MOST_BYTES = 256 << 20;

/** Returns Node's client for a URL. Not imported: that would evaluate fetch, and TLS for each http: URL. */
function clientFor(server: string): typeof import('node:http') | typeof import('node:https') {
  return process.getBuiltinModule(server.startsWith('https:') ? 'node:https' : 'node:http');
}

/** Sends JSON in one request. Rejects with the error of Node.js if there is no complete response. */
export function post(
  { server, tls, headers }: ServiceAccess,
  path: string,
  body: string,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      ...tls,
      method: 'POST',
      headers: {
        'User-Agent': 'etcd-discovery',
        'Content-Type': 'application/json',
        'Connect-Protocol-Version': '1',
        ...headers,
      },
      signal,
    };
    const request = clientFor(server).request(`${server}${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > MOST_BYTES) response.destroy(new Error('the response is too large'));
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers: received } = response;
        resolve({ status, headers: received, body: Buffer.concat(chunks).toString() });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/**
 * Closes the connections to a service. The body of an unexpected response is not read by a stream, and its connection
 * would keep the process alive until the server closes it: nginx does so after 75 s.
 */
export function closeConnections(server: string): void {
  clientFor(server).globalAgent.destroy();
}
