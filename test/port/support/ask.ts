import { request } from 'node:http';
import { connect } from 'node:http2';
import { buffer } from 'node:stream/consumers';

/**
 * Sends one HTTP/1.1 request on its own connection. Returns the status and the code in a JSON body: Connect's `code` or
 * v2's `errorCode`.
 */
export function http1(
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = '',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        port,
        host: '127.0.0.1',
        method,
        path,
        agent: false,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        buffer(response).then((text) => {
          const type = response.headers['content-type'] ?? '';
          const code = type.startsWith('application/json') ? codeOf(String(text)) : '';
          resolve(`${response.statusCode}${code}`);
        }, reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

function codeOf(json: string): string {
  const { code, errorCode } = JSON.parse(json) as { code?: string; errorCode?: number };
  return ` ${code ?? errorCode ?? ''}`;
}

/** Sends one gRPC call with these bytes as its body. Returns `grpc` and the status of the call. */
export function grpc(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let status: unknown;
    const look = (headers: Readonly<Record<string, unknown>>): void => {
      status = headers['grpc-status'] ?? status;
    };
    stream.on('response', look).on('trailers', look).on('error', reject).resume();
    stream.on('close', () => session.close(() => resolve(`grpc ${String(status)}`)));
    stream.end(body);
  });
}
