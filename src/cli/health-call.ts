import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

const PATH = '/grpc.health.v1.Health/Check';
/** A busy store takes a few seconds. */
const ANSWER_MS = 5000;
/** The response is one short word. */
const ANSWER_BYTES = 4096;

type Files = Readonly<Record<'cacert' | 'cert' | 'key', string | undefined>>;

/**
 * Returns whether the service can serve, with one plain call. Undefined for any unexpected response. The call
 * is HTTP/1.0, whose response is all that comes until the connection ends: loading Node's HTTP client takes as
 * long as the rest of the command.
 */
export async function askHealth(server: string, files: Files): Promise<boolean | undefined> {
  try {
    const url = new URL(`${server}${PATH}`);
    const response = await answer(open(url, files), requestTo(url));
    const [, body = ''] = /^HTTP\/1\.[01] 200 .*?\r\n\r\n(.*)$/s.exec(response) ?? [];
    const { status } = JSON.parse(body) as { status?: string };
    return status === undefined ? undefined : status === 'SERVING';
  } catch {
    return undefined;
  }
}

function requestTo({ host, pathname }: URL): string {
  const lines = [
    `POST ${pathname} HTTP/1.0`,
    `Host: ${host}`,
    'Content-Type: application/json',
    'Connect-Protocol-Version: 1',
    'Content-Length: 2',
  ];
  return `${lines.join('\r\n')}\r\n\r\n{}`;
}

function open({ protocol, hostname, port }: URL, { cacert, cert, key }: Files): Socket {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (protocol === 'http:') return process.getBuiltinModule('node:net').connect(Number(port || 80), host);
  if ((cert === undefined) !== (key === undefined)) throw new Error('a certificate without its key');
  const read = (file: string | undefined): string | undefined => file && readFileSync(file, 'utf8');
  const { isIP } = process.getBuiltinModule('node:net');
  return process.getBuiltinModule('node:tls').connect({
    host,
    port: Number(port || 443),
    ...(isIP(host) === 0 && { servername: host }),
    ca: read(cacert),
    cert: read(cert),
    key: read(key),
  });
}

function answer(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > ANSWER_BYTES) socket.destroy(new Error('response too large'));
    });
    socket.on('end', () => resolve(text)).on('error', reject);
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no response')));
    socket.write(request);
  });
}
