import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import { ONLY_IN_LONG_RUNS, slow } from '../slow.ts';
import { IDENTITY } from '../tls/files.ts';
import { type Report, runH2spec } from './h2spec.ts';
import { h2spec } from './programs.ts';
import { servePlain } from './project.ts';

/** The cases that node:http2 alone passes and the port does not, with the reason, in plaintext and over TLS. */
const REASONS: Readonly<Record<'clear text' | 'TLS', Readonly<Record<string, string>>>> = {
  'clear text': {
    'http2/3.5/2':
      'an invalid preface is read as HTTP/1.1 here, and if that is invalid too, it gets a 400 with an explanation',
  },
  TLS: {},
};
/** The number of cases of version 2.2.1. */
const CASES = 146;

const tool = await h2spec();
const skip = slow ? tool.missing : ONLY_IN_LONG_RUNS;

suite('h2spec: the port passes the cases that node:http2 passes', { concurrency: true }, () => {
  for (const [how, reasons] of Object.entries(REASONS)) {
    test(how, { skip }, async (context) => {
      const overTls = how === 'TLS';
      const port = await servePlain(answer, overTls ? IDENTITY : undefined);
      const bare = overTls ? createSecureServer(IDENTITY, answer) : createServer(answer);
      bare.on('sessionError', () => {});
      await once(bare.listen(0, '127.0.0.1'), 'listening');
      try {
        const against = (at: number, only?: string): Promise<Report> =>
          runH2spec({ path: tool.path ?? '', port: at, overTls, only });
        const [ours, theirs] = await Promise.all([
          against(port.port),
          against((bare.address() as AddressInfo).port),
        ]);
        const total = ours.passed.size + ours.failed.size;
        context.diagnostic(
          `${ours.passed.size} of ${total} passed; of node:http2 alone ${theirs.passed.size}`,
        );
        assert.ok(total > CASES - 5 && total <= CASES, `h2spec ran ${total} cases`);
        for (const [id, title] of ours.failed) {
          if (!theirs.passed.has(id) || id in reasons) continue;
          // On a busy machine a case may exceed its time.
          const { failed } = await against(port.port, id);
          assert.equal(failed.size, 0, `${id} fails: ${title}`);
        }
        assert.deepEqual(
          Object.keys(reasons).filter((id) => ours.passed.has(id)),
          [],
          'a case in the table passes',
        );
      } finally {
        bare.close();
        await port.drain(0);
      }
    });
  }
});

function answer(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): void {
  request.resume();
  response.end('hello');
}
