import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { slow } from '../slow.ts';
import { IN_A_LONG_RUN, onPath, ROOT } from '../support/programs.ts';
import { type RunningService, startService } from '../support/service.ts';

// Runs the commands of docs/guides/go-and-python.md: each section in one shell, in an empty directory. They download
// modules and packages.

const DOCUMENT = 'docs/guides/go-and-python.md';

const run = promisify(execFile);

/** Returns the commands under a heading, and the output that its last block documents. */
function section(markdown: string, heading: string): { commands: string; output: string } {
  const text =
    new RegExp(`^## ${heading}\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(markdown)?.[1] ?? '';
  const blocks = (language: string): string[] =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
      ([, block = '']) => block,
    );
  return { commands: blocks('sh').join('\n'), output: blocks('text').join('') };
}

suite('the guide to clients', () => {
  let service: RunningService;
  let directory = '';
  before(async () => {
    service = await startService();
    directory = await mkdtemp(join(tmpdir(), 'etcd-discovery-clients-'));
  });
  after(async () => {
    await service.stop();
    await rm(directory, { recursive: true, force: true });
  });

  for (const [heading, program] of [
    ['Go', 'go'],
    ['Python', 'python3'],
  ] as const) {
    const found = onPath(program);
    const missing = !slow ? IN_A_LONG_RUN : found === undefined && `no ${program} on PATH`;
    test(`creates a client in ${heading} from scratch`, { skip: missing }, async () => {
      const { commands, output } = section(await readFile(join(ROOT, DOCUMENT), 'utf8'), heading);
      assert.notEqual(output, '', `${DOCUMENT} has a section "${heading}" with its output`);
      const here = commands.replaceAll('localhost:8087', new URL(service.url).host);
      const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', here], {
        cwd: directory,
        timeout: 600_000,
        env: {
          ...process.env,
          PATH: `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
          PROTOS: join(ROOT, 'proto'),
          GOFLAGS: '',
          GOWORK: 'off',
        },
      });
      assert.equal(stdout, output);
    });
  }
});
