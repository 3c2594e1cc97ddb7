import { Agent, get, type IncomingMessage } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { buffer } from 'node:stream/consumers';

/** An HTTP/1.1 response whose headers have arrived. */
export interface OpenResponse {
  readonly status: number;
  readonly connection: string | undefined;
  /** The body; rejects if the connection breaks before its end. */
  readonly body: Promise<string>;
}

/** Sends a request over HTTP/1.1 on its own keep-alive connection. */
export function open(port: number, path: string): Promise<OpenResponse> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: true });
    get({ port, host: '127.0.0.1', path, agent }, (response: IncomingMessage) => {
      const body = buffer(response).then(String);
      body.catch(() => {});
      resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, body });
    }).on('error', reject);
  });
}

/** Opens an HTTP/2 session whose errors are reported by its streams. */
export function openSession(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  return session;
}

/** Sends a request over HTTP/2. */
export function openStream(
  session: ClientHttp2Session,
  path: string,
): Promise<{ status: number; stream: ClientHttp2Stream; body: Promise<string> }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path });
    stream.once('error', reject);
    stream.once('response', (headers) => {
      const body = buffer(stream).then(String);
      body.catch(() => {});
      resolve({ status: Number(headers[':status']), stream, body });
    });
  });
}
