/** An HTTP/1.1 response as received. */
export interface Http1Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Returns all complete responses at the beginning of the bytes, and the remaining bytes. A response with neither a
 * length nor chunks counts as empty; HEAD is not supported.
 */
export function parseAnswers(heard: Buffer): { answers: Http1Response[]; rest: string } {
  const answers: Http1Response[] = [];
  let rest = heard.toString('latin1');
  for (;;) {
    const head = /^HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(rest);
    if (head === null) return { answers, rest };
    const lines = (head[2] ?? '').split('\r\n').filter((line) => line !== '');
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const body = takeBody(rest.slice(head[0].length), headers);
    if (body === undefined) return { answers, rest };
    answers.push({ status: Number(head[1]), headers, body: body.text });
    rest = body.rest;
  }
}

function takeBody(
  text: string,
  headers: Readonly<Record<string, string>>,
): { text: string; rest: string } | undefined {
  if (headers['transfer-encoding'] === 'chunked') return takeChunks(text);
  const length = Number(headers['content-length'] ?? 0);
  return text.length < length ? undefined : { text: text.slice(0, length), rest: text.slice(length) };
}

function takeChunks(text: string): { text: string; rest: string } | undefined {
  let taken = '';
  let rest = text;
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/i.exec(rest);
    if (size === null) return undefined;
    const length = Number.parseInt(size[1] ?? '', 16);
    rest = rest.slice(size[0].length);
    if (rest.length < length + 2) return undefined;
    taken += rest.slice(0, length);
    rest = rest.slice(length + 2);
    if (length === 0) return { text: taken, rest };
  }
}
