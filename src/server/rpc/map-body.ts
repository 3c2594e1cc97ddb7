/** ResponseBody is the body of a response. */
export type ResponseBody = AsyncIterable<Uint8Array>;

/** Maps each chunk of a body. A generator would hide from Connect that the client is gone. */
export function mapped(body: ResponseBody, change: (chunk: Uint8Array) => Uint8Array): ResponseBody {
  const inner = body[Symbol.asyncIterator]();
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const result = await inner.next();
    return result.done === true ? result : { done: false, value: change(result.value) };
  };
  const outer: AsyncIterator<Uint8Array> = {
    next,
    throw: (error: unknown) => fail(inner, error),
    return: () => end(inner),
  };
  return { [Symbol.asyncIterator]: () => outer };
}

type Result = Promise<IteratorResult<Uint8Array>>;
const OVER = { done: true, value: undefined } as const;

async function fail(inner: AsyncIterator<Uint8Array>, error: unknown): Result {
  return (await inner.throw?.(error)) ?? OVER;
}

async function end(inner: AsyncIterator<Uint8Array>): Result {
  return (await inner.return?.()) ?? OVER;
}
