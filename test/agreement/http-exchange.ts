import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { V2Handler } from '../../src/etcdv2/gateway.ts';
import type { Answer, Call } from './node.ts';

type V2Request = Parameters<V2Handler>[0]['request'];

/** A connection between a node and the service, for one call. */
export interface Connection {
  /** Cuts the connection: node and service no longer hear from each other. */
  cut(): void;
}

/** Passes a call to the handler of the v2 dialect, without a socket. */
export function exchange(
  handle: V2Handler,
  call: Extract<Call, { type: 'HTTP' }>,
  answered: (answer: Answer) => void,
): Connection {
  const request = requestOf(call);
  const response = new Response((answer) => {
    answered(answer);
    request.emit('close');
  });
  const cut = (): void => response.cut();
  Object.assign(request, { destroy: cut, socket: { destroy: cut } });
  Object.assign(response, { socket: { destroy: cut } });
  handle({ request: request as unknown as V2Request, response: response as unknown as ServerResponse });
  return { cut: () => response.hangUp() };
}

function requestOf({ method, target, body }: Extract<Call, { type: 'HTTP' }>): EventEmitter {
  const headers = { host: 'discovery:8087' };
  const form = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(body?.length ?? 0),
  };
  return Object.assign(new EventEmitter(), {
    method,
    url: target,
    headers: body === undefined ? headers : { ...headers, ...form },
    complete: true,
    read: () => (body === undefined ? null : Buffer.from(body)),
  });
}

class Response extends EventEmitter {
  readonly #answered: (answer: Answer) => void;
  #status = 0;
  #index = 0n;
  #body = '';
  #isOver = false;

  constructor(answered: (answer: Answer) => void) {
    super();
    this.#answered = answered;
  }

  writeHead(status: number, headers: readonly string[]): this {
    this.#status = status;
    const at = headers.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === 'x-etcd-index');
    this.#index = BigInt(headers[at + 1] ?? 0);
    return this;
  }

  write(chunk: string): boolean {
    this.#body += chunk;
    return true;
  }

  end(chunk = ''): void {
    this.#body += chunk;
    this.#finish({ type: 'HTTP', status: this.#status, index: this.#index, body: this.#body });
  }

  destroy(): this {
    this.cut();
    return this;
  }

  cut(): void {
    this.#finish({ type: 'BROKEN' });
  }

  /** Closes the connection without a response. */
  hangUp(): void {
    this.#finish(undefined);
  }

  #finish(answer: Answer | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (answer !== undefined) this.#answered(answer);
    queueMicrotask(() => this.emit('close'));
  }
}
