import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ONLY_IN_LONG_RUNS, slow } from '../slow.ts';
import { needCommands } from '../support/debian.ts';
import { importEtcd, importNode } from './engine/base-images.ts';
import { blocksOf, lastBlockOf, scriptOf, unprinted } from './engine/document.ts';
import { Engine } from './engine/engine.ts';

const DOCUMENT = 'docs/operating/deploying.md';
const FILES = readdirSync('deploy')
  .filter((name) => name.startsWith('compose'))
  .map((name) => join('deploy', name));
const IMAGE = 'etcd-discovery:0.1.0';

async function reasonToSkip(): Promise<string | false> {
  if (!slow) return ONLY_IN_LONG_RUNS;
  if (process.getuid?.() !== 0) return "needs root, for Docker's engine";
  const missing = await needCommands({
    dockerd: 'docker.io',
    docker: 'docker.io',
    'docker-compose': 'docker-compose',
    slirp4netns: 'slirp4netns',
    debootstrap: 'debootstrap',
    ip: 'iproute2',
    curl: 'curl',
  });
  if (missing !== undefined) return missing;
  const { status, stderr } = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true']);
  return status === 0 ? false : `cannot create namespaces here: ${String(stderr).trim()}`;
}

const skip = await reasonToSkip();
if (skip !== false) console.log(`Docker's engine: ${skip}`);

suite("deployed as documented, in Docker's engine", { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  const engine = new Engine(directory);
  const healthy = (name: string): string =>
    `until [ "$(docker inspect --format '{{.State.Health.Status}}' ${name})" = healthy ]; do sleep 0.5; done`;

  before(async () => {
    await engine.start();
    const texts = [DOCUMENT, ...FILES].map((file) => readFileSync(file, 'utf8'));
    const etcds = texts.flatMap((text) => text.match(/gcr\.io\/etcd-development\/etcd:v[\d.]+\d/g) ?? []);
    const [, node = ''] = /^ARG NODE_IMAGE=(.*)$/m.exec(readFileSync('deploy/Dockerfile', 'utf8')) ?? [];
    await importNode(engine, node);
    for (const name of new Set(etcds)) await importEtcd(engine, name, directory);
  });
  after(async () => {
    await engine.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('every command of the document works and prints what it says', async (t) => {
    // The document has its reader create this directory in the clone.
    t.after(() => rmSync('tokens', { recursive: true, force: true }));
    const blocks = blocksOf(DOCUMENT);
    assert.ok(blocks.length > 5);
    const { code, output } = await engine.run(scriptOf(blocks), { limitMs: 8 * 60_000 });
    assert.equal(code, 0, lastBlockOf(output));
    assert.deepEqual(unprinted(blocks, output), [], output);
  });

  test('the image has only what the service needs to run, and labels that describe it', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    const labels = JSON.parse(
      await engine.must(`docker inspect --format '{{json .Config.Labels}}' ${IMAGE}`),
    ) as Record<string, string>;
    const label = (name: string): string | undefined => labels[`org.opencontainers.image.${name}`];
    assert.deepEqual(
      [label('title'), label('licenses'), label('version')],
      ['etcd-discovery', 'Apache-2.0', version],
    );
    const files = await engine.must(
      `docker run --rm --entrypoint sh ${IMAGE} -c "cd /app && find . -maxdepth 3 -not -path './node_modules/*/*' | sort"`,
    );
    assert.match(files, /^\.\/dist\/src\/main\.js$/m);
    assert.doesNotMatch(files, /typescript|oxlint|biome|esbuild|dist\/test|dist\/bench|\.map$/m);
  });

  test('a container runs as a user on a read-only root, becomes healthy, and keeps its tokens when killed', async () => {
    await engine.must(`docker run --detach --name kept --read-only --cap-drop ALL --health-interval 1s --publish 8087:8087 ${IMAGE}
${healthy('kept')}`);
    assert.equal(await engine.must('docker exec kept id -u'), '1000');
    assert.notEqual((await engine.run('docker exec kept touch /app/x')).code, 0);
    const url = await engine.must("curl -sS -X PUT 'localhost:8087/new?size=3'");
    await engine.must('docker kill kept && docker start kept');
    await engine.must('until docker exec kept etcd-discovery health; do sleep 0.2; done');
    assert.match(await engine.must(`curl -sS ${url}/_config/size`), /"value":"3"/);
  });

  test('a container stops at SIGTERM with exit code 0, long before it would be killed, although a node waits', async () => {
    const url = await engine.must("curl -sS -X PUT 'localhost:8087/new?size=3'");
    const waiting = engine.run(`curl -sS '${url}?wait=true&recursive=true'`);
    await engine.must(
      "until curl -sS localhost:8087/metrics | grep -q '^discovery_waits{.*} 1'; do sleep 0.1; done",
    );
    const begin = Date.now();
    await engine.must('docker stop --time 60 kept');
    assert.ok(Date.now() - begin < 30_000, 'it was not killed');
    assert.equal(await engine.must("docker inspect --format '{{.State.ExitCode}}' kept"), '0');
    assert.equal((await waiting).code, 0, 'the node got an empty response');
    await engine.must('docker rm --volumes kept');
  });

  test('the health check uses a configured port', async () => {
    await engine.must(`docker run --detach --name moved --health-interval 1s --env DISC_ADDR=:9000 ${IMAGE}
${healthy('moved')}
docker rm --force --volumes moved`);
  });

  test('rejects a directory of root, and names the user that must own it', async () => {
    mkdirSync(join(directory, 'of-root'), { mode: 0o755 });
    const { code, output } = await engine.run(`docker run --rm --volume ${directory}/of-root:/data ${IMAGE}`);
    assert.equal(code, 1);
    assert.match(output, /^etcd-discovery: .*uid 1000.* \/data\/\S+;.*chown/m);
  });

  test('both services of Compose become healthy, and keep the tokens when both restart', async () => {
    const compose = 'docker compose -f deploy/compose.yaml';
    await engine.must(`${compose} up --detach
${healthy(`$(${compose} ps --quiet discovery)`)}`);
    const url = await engine.must("curl -sS -X PUT 'localhost:8087/new?size=3'");
    await engine.must(`${compose} restart
until curl -sf localhost:8087/readyz; do sleep 0.2; done`);
    assert.match(await engine.must(`curl -sS ${url}/_config/size`), /"value":"3"/);
    await engine.must(`${compose} down --volumes`);
  });
});
