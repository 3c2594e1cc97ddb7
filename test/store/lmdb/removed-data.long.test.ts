import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run, SpawnedService } from '../../support/child.ts';

const MISPLACED = /removed, renamed or replaced while the service was running/;

interface Scene {
  readonly home: string;
  readonly dataDir: string;
  readonly service: SpawnedService;
  /** Creates a token. Returns the status, and the token's URL or the error. */
  readonly make: () => Promise<{ status: number; text: string }>;
}

async function scene(t: TestContext): Promise<Scene> {
  const home = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const dataDir = join(home, 'data');
  const service = await SpawnedService.start([], { dataDir });
  t.after(() => service.end('SIGKILL'));
  return {
    home,
    dataDir,
    service,
    async make() {
      const answer = await fetch(`${service.url}/new?size=3`);
      return { status: answer.status, text: await answer.text() };
    },
  };
}

async function expectWritesRefused({ service, make }: Scene): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const { status, text } = await make();
    assert.ok(status >= 500, String(status));
    assert.match(text, MISPLACED);
  }
  const health = await fetch(`${service.url}/health`);
  assert.equal(health.status, 503);
  await health.text();
  const reports = service.command.log().filter((line) => MISPLACED.test(String(line['msg'])));
  assert.equal(reports.filter((line) => line['level'] === 'error').length, 1, 'logged once');
}

const tokenOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

const LOSSES: ReadonlyArray<[what: string, lose: (scene: Scene) => void]> = [
  ['removed', ({ dataDir }) => rmSync(dataDir, { recursive: true })],
  [
    'removed and created again',
    ({ dataDir }) => {
      rmSync(dataDir, { recursive: true });
      mkdirSync(dataDir);
    },
  ],
  [
    'deprived of its data file, which is replaced',
    ({ dataDir }) => {
      writeFileSync(join(dataDir, 'new'), 'another one');
      renameSync(join(dataDir, 'new'), join(dataDir, 'data.mdb'));
    },
  ],
];

for (const [what, lose] of LOSSES) {
  test(`a directory that is ${what} accepts no more writes, and a backup has the acknowledged ones`, async (t) => {
    const lost = await scene(t);
    const { status, text } = await lost.make();
    assert.equal(status, 200);
    assert.equal((await fetch(`${lost.service.url}/health`)).status, 200);
    lose(lost);
    await expectWritesRefused(lost);
    // Reads return what was acknowledged.
    assert.equal((await fetch(text.trim())).status, 200);

    if (process.platform !== 'linux') return;
    const file = join(lost.home, 'rescued.mdb');
    const backup = await run(['backup', file, '--data-dir', lost.dataDir]);
    assert.equal(backup.code, 0, backup.stderr);
    await lost.service.end('SIGKILL');
    const place = join(lost.home, 'restored');
    assert.equal((await run(['restore', file, '--data-dir', place])).code, 0);
    const again = await SpawnedService.start([], { dataDir: place });
    t.after(() => again.end('SIGKILL'));
    // The restore closed the token, but kept it.
    const found = await fetch(`${again.url}/${tokenOf(text.trim())}`);
    assert.match(await found.text(), /restore/);
  });
}

test('a directory that is renamed and renamed back accepts writes again, with nothing missing', async (t) => {
  const moved = await scene(t);
  const first = await moved.make();
  const away = join(moved.home, 'away');
  renameSync(moved.dataDir, away);
  await expectWritesRefused(moved);
  assert.equal(existsSync(moved.dataDir), false);
  renameSync(away, moved.dataDir);
  const second = await moved.make();
  assert.equal(second.status, 200);
  assert.equal((await fetch(`${moved.service.url}/health`)).status, 200);
  await moved.service.end('SIGKILL');
  const again = await SpawnedService.start([], { dataDir: moved.dataDir });
  t.after(() => again.end('SIGKILL'));
  const warnings = again.command.log().filter((line) => line['level'] === 'warn');
  assert.ok(
    warnings.some((line) => /did not shut down cleanly/.test(String(line['msg']))),
    'the log reports the unclean shutdown',
  );
  for (const { text } of [first, second]) {
    assert.equal((await fetch(`${again.url}/${tokenOf(text.trim())}`)).status, 200);
  }
});
