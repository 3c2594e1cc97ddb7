/** ServiceAccess is how to reach a service. */
export interface ServiceAccess {
  readonly server: string;
  /** What to trust and to present, in PEM. */
  readonly tls: Readonly<Partial<Record<'ca' | 'cert' | 'key', string>>>;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  /** The media type, as it was sent. */
  readonly type: string;
  readonly body: string;
}

export function isJson(type: string): boolean {
  return /^application\/json\b/i.test(type);
}

/** Far more than any response of the service: the longest list has a thousand clusters. */
const MOST_BYTES = 256 << 20;

export function headersOf({ headers }: ServiceAccess): Record<string, string> {
  return {
    'User-Agent': 'etcd-discovery',
    'Content-Type': 'application/json',
    'Connect-Protocol-Version': '1',
    ...headers,
  };
}

let client: typeof import('node:http') | typeof import('node:https') | undefined;

/** Returns Node's client for a URL. Not imported: that would evaluate fetch, and TLS for each http: URL. */
export function clientFor(server: string): NonNullable<typeof client> {
  client ??= process.getBuiltinModule(server.startsWith('https:') ? 'node:https' : 'node:http');
  return client;
}

/** Sends JSON in one request. Rejects with the error of Node.js if there is no complete response. */
export function post(
  access: ServiceAccess,
  path: string,
  body: string,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { server, tls } = access;
    const options = { ...tls, method: 'POST', headers: headersOf(access), signal };
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
        const { statusCode: status = 0, headers } = response;
        resolve({ status, type: headers['content-type'] ?? '', body: Buffer.concat(chunks).toString() });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/**
 * Closes the connections of Node's client. The body of an unexpected response is not read by a stream, and its connection
 * would keep the process alive until the server closes it: nginx does so after 75 s.
 */
export function closeConnections(): void {
  client?.globalAgent.destroy();
}
