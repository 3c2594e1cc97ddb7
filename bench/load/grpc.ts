// gRPC unary calls over cleartext HTTP/2, through Node's own client: a gRPC server costs several times more.

import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { Caller } from './closed-loop.ts';

const STREAMS_PER_SESSION = 32;

/** So many callers of one method, up to 32 on a connection, and how to close their connections. */
export async function grpcCallers(port: number, path: string, count: number) {
  const opening: Promise<ClientHttp2Session>[] = [];
  for (let streams = 0; streams < count; streams += STREAMS_PER_SESSION) opening.push(open(port));
  const sessions = await Promise.all(opening);
  const callers = sessions.flatMap((session, index) => {
    const streams = Math.min(count - index * STREAMS_PER_SESSION, STREAMS_PER_SESSION);
    return Array.from({ length: streams }, () => caller(session, path));
  });
  return { callers, close: () => sessions.forEach((session) => session.destroy()) };
}

function open(port: number): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 100 });
    session.once('connect', () => resolve(session));
    // After the connection, its streams tell as well.
    session.on('error', reject);
  });
}

function caller(session: ClientHttp2Session, path: string): Caller {
  const headers = {
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: path,
    'content-type': 'application/grpc+proto',
    te: 'trailers',
  };
  return {
    call(request, done, failed) {
      const stream = session.request(headers);
      let status: string | undefined;
      let message = '';
      // An answer without a message has its status in the head.
      const note = (fields: Record<string, string | string[] | number | undefined>): void => {
        if (fields['grpc-status'] === undefined) return;
        status = String(fields['grpc-status']);
        message = String(fields['grpc-message'] ?? '');
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.on('error', failed);
      stream.on('close', () => {
        if (status === '0') done();
        else failed(new Error(`${path} answered with grpc-status ${status}: ${message}`));
      });
      stream.resume();
      stream.end(request);
    },
  };
}
