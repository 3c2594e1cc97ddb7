import type { OnReadOpts, Socket } from 'node:net';
import { type Answer, headersOf, isJson, type ServiceAccess } from './post.ts';

/** Far more than most responses. Node's client reads the others. */
const MOST_BYTES = 1 << 20;
const READ_BYTES = 1 << 16;

/**
 * Sends JSON in one request over a plain socket, because Node's HTTP client takes as long to load as the rest of a
 * command. HTTP/1.0, whose responses are not in chunks. Returns undefined without a complete JSON response: Node's
 * client then sends the request again, and has the reason.
 */
export function ask(
  access: ServiceAccess,
  path: string,
  body: string,
  timeoutMs: number,
): Promise<Answer | undefined> {
  if (mayUseProxy()) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const url = new URL(access.server + path);
    let text = '';
    /** Returns whether more must come. */
    const read = (isOver: boolean): boolean => {
      const answer = text.length > MOST_BYTES ? undefined : answerIn(text, isOver);
      if (answer === 'INCOMPLETE') return true;
      end(answer);
      return false;
    };
    // Without Node's readable stream, which takes as long as to read the response.
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const onread: OnReadOpts = {
      buffer,
      callback(length) {
        text += buffer.toString('latin1', 0, length);
        return read(false);
      },
    };
    const socket = open(url, access.tls, onread);
    const end = (answer?: Answer): void => {
      clearTimeout(timer);
      // To destroy a socket takes longer than to read it. The server closes it; the process does not wait for that.
      if (answer === undefined) socket.destroy();
      else socket.unref();
      resolve(answer);
    };
    const timer = setTimeout(end, timeoutMs);
    socket.on('end', () => read(true)).on('error', () => end());
    socket.write(requestTo(url, headersOf(access), body));
  });
}

/** Newer versions of Node.js have an option for calls through a proxy. */
function mayUseProxy(): boolean {
  const { NODE_USE_ENV_PROXY: variable = '', NODE_OPTIONS: options = '' } = process.env;
  return variable !== '' || [options, ...process.execArgv].join(' ').includes('--use-env-proxy');
}

function requestTo({ host, pathname }: URL, headers: Readonly<Record<string, string>>, body: string): string {
  const all = { Host: host, ...headers, 'Content-Length': Buffer.byteLength(body) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${pathname} HTTP/1.0\r\n${lines.join('')}\r\n${body}`;
}

/** Not imported: that would evaluate TLS for each http: URL, and both for each command. */
function open({ protocol, hostname, port }: URL, tls: ServiceAccess['tls'], onread: OnReadOpts): Socket {
  const net = process.getBuiltinModule('node:net');
  const name = hostname.replace(/^\[(.*)\]$/, '$1');
  // A resolver takes as long as the connection. Where the service listens on ::1 alone, Node's client finds it.
  const host = name === 'localhost' ? '127.0.0.1' : name;
  const isTls = protocol === 'https:';
  const to = { host, port: Number(port || (isTls ? 443 : 80)), onread };
  if (!isTls) return net.connect(to);
  const servername = net.isIP(name) === 0 ? { servername: name } : {};
  return process.getBuiltinModule('node:tls').connect({ ...tls, ...servername, ...to });
}

/** Servers send it in one piece. */
const START = /^HTTP\/1\.[01] ([2-5]\d\d) /;
const HEAD = /^.*?\r\n\r\n/s;
const LENGTH = /^content-length:\s*(\d+)\s*$/im;
const CODED = /^transfer-encoding:/im;
const TYPE = /^content-type: *(.*)\r$/im;

/**
 * Reads a response. Returns undefined as soon as it cannot become a usual one: its server may keep the connection open
 * until the timeout. Without a length, it ends with the connection, as from proxies that change bodies.
 */
function answerIn(text: string, isOver: boolean): Answer | 'INCOMPLETE' | undefined {
  const more = isOver ? undefined : 'INCOMPLETE';
  const [, status] = START.exec(text) ?? [];
  if (status === undefined) return undefined;
  const [head] = HEAD.exec(text) ?? [];
  if (head === undefined) return more;
  const [, type = ''] = TYPE.exec(head) ?? [];
  const body = text.slice(head.length);
  const length = Number(LENGTH.exec(head)?.[1] ?? (isOver ? body.length : Number.POSITIVE_INFINITY));
  if (!isJson(type) || CODED.test(head) || body.length > length) return undefined;
  if (body.length < length) return more;
  return { status: Number(status), type, body: Buffer.from(body, 'latin1').toString() };
}
