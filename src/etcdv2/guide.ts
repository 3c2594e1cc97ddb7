import type { Reply } from './reply.ts';
import type { Response } from './responder.ts';

// The clustering guide of etcd keeps tokens in a directory of the user's own etcd, /v2/keys/discovery/TOKEN, and so does
// every copy of it. Such a request is answered with keys under /discovery, as that etcd would. Nodes look at the last
// part of a key alone, people and programs at all of it.

const UNDER_GUIDE = /^(?:https?:\/\/[^/?#]*)?\/v2\/keys\/discovery\//i;

/** The beginning of a key, and of the cause that names one. In a value its quotes would be escaped. */
const KEYS = /"(key|cause)":"\/_etcd\/registry\//g;

/** Whether a target has its keys where the guide has them. */
export function isUnderGuide(target: string): boolean {
  return UNDER_GUIDE.test(target);
}

const respelled = (body: string): string => body.replace(KEYS, '"$1":"/discovery/');

// Of lists, which are shared: each as long as that is kept.
const lists = new WeakMap<Buffer, Buffer>();

function respelledList(body: Buffer): Buffer {
  let list = lists.get(body);
  if (list === undefined) {
    list = Buffer.from(respelled(body.toString()));
    lists.set(body, list);
  }
  return list;
}

/** A whole answer. */
export function guideReply(reply: Reply): Reply {
  const { body } = reply;
  return { ...reply, body: typeof body === 'string' ? respelled(body) : respelledList(body) };
}

/** A response to write events to, whose keys are then under /discovery. */
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
