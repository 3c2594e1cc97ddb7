/** What an answer is sent of. */
export type Body = AsyncIterable<Uint8Array>;

/** Changes each chunk of a body. A generator would keep from Connect that the client cannot be written to. */
export function mapped(body: Body, change: (chunk: Uint8Array) => Uint8Array): Body {
  const inner = body[Symbol.asyncIterator]();
  const { throw: fail, return: end } = inner;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const result = await inner.next();
    return result.done === true ? result : { done: false, value: change(result.value) };
  };
  const outer: AsyncIterator<Uint8Array> = {
    next,
    ...(fail && { throw: fail.bind(inner) }),
    ...(end && { return: end.bind(inner) }),
  };
  return { [Symbol.asyncIterator]: () => outer };
}
