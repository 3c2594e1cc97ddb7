import type { V2Reply } from './reply.ts';
import type { Response } from './responder.ts';

// etcd's clustering guide, and every copy of it, keeps tokens in a directory of the user's own etcd,
// /v2/keys/discovery/TOKEN. Such requests get responses with keys under /discovery, as from that etcd. Nodes
// read only the last part of a key; people and programs read all of it.

const UNDER_GUIDE = /^(?:https?:\/\/[^/?#]*)?\/v2\/keys\/discovery\//i;

/** The start of a key, and of a cause that contains one. Inside a value its quotes would be escaped. */
const KEYS = /"(key|cause)":"\/_etcd\/registry\//g;

/** Whether a target uses the keys of the guide. */
export function isUnderGuide(target: string): boolean {
  return UNDER_GUIDE.test(target);
}

const respelled = (body: string): string => body.replace(KEYS, '"$1":"/discovery/');

// Converted lists, kept as long as the shared originals.
const lists = new WeakMap<Buffer, Buffer>();

function respelledList(body: Buffer): Buffer {
  let list = lists.get(body);
  if (list === undefined) {
    list = Buffer.from(respelled(body.toString()));
    lists.set(body, list);
  }
  return list;
}

/** Converts a complete response. */
export function guideReply(reply: V2Reply): V2Reply {
  const { body } = reply;
  return { ...reply, body: typeof body === 'string' ? respelled(body) : respelledList(body) };
}

/** Wraps a response so that the keys of its events are under /discovery. */
export function guideResponse(response: Response): Response {
  return {
    writeHead: (status, headers) => response.writeHead(status, headers),
    flushHeaders: () => response.flushHeaders?.(),
    write: (chunk) => response.write(respelled(chunk)),
    end: (chunk?: string | Buffer) =>
      chunk === undefined ? response.end() : response.end(respelled(chunk.toString())),
    destroy: () => response.destroy(),
    on: (event, listener) => response.on(event, listener),
    once: (event, listener) => response.once(event, listener),
  };
}
