import { ServerResponse } from 'node:http';
import { Http2ServerResponse } from 'node:http2';
import type { Gate } from './gate.ts';

type Done = () => void;

/** Http1Response is an HTTP/1 response whose unread bytes are counted. */
export class Http1Response extends ServerResponse {
  answer: Gate | undefined;

  override write(chunk: unknown, encoding?: unknown, done?: unknown): boolean {
    if (this.answer?.lets(chunk, encoding, done) === false) return false;
    return super.write(chunk, encoding as BufferEncoding, done as Done);
  }

  override end(chunk?: unknown, encoding?: unknown, done?: unknown): this {
    if (this.answer?.lets(chunk, encoding, done) === false) return this;
    return super.end(chunk, encoding as BufferEncoding, done as Done);
  }
}

/** Http2Response is an HTTP/2 response whose unread bytes are counted. */
export class Http2Response extends Http2ServerResponse {
  answer: Gate | undefined;

  override write(chunk: unknown, encoding?: unknown, done?: unknown): boolean {
    if (this.answer?.lets(chunk, encoding, done) === false) return false;
    return super.write(chunk as Uint8Array, encoding as BufferEncoding, done as Done);
  }

  override end(chunk?: unknown, encoding?: unknown, done?: unknown): this {
    // The base class writes the chunk through the method above.
    if (this.answer?.lets(undefined, encoding, done) === false) return this;
    return super.end(chunk as Uint8Array, encoding as BufferEncoding, done as Done);
  }
}
