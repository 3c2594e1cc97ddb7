import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { slow } from '../slow.ts';
import { needCommands } from '../support/debian.ts';
import { type Container, composeScript, composeServices } from './compose.ts';
import { Builder } from './image.ts';

const skip = slow
  ? process.getuid?.() === 0
    ? ((await needCommands({
        buildah: 'buildah',
        debootstrap: 'debootstrap',
        ip: 'iproute2',
        curl: 'curl',
      })) ?? false)
    : 'needs root, to build images and to make network namespaces'
  : 'only in a long run: npm test -- --slow';

const { version: VERSION } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

suite('the container images', { skip }, () => {
  const builder = new Builder(mkdtempSync(join(tmpdir(), 'etcd-discovery-test-')));
  before(async () => {
    await builder.makeBase('docker.io/library/node:24-bookworm-slim');
    await builder.build('deploy/Dockerfile', '.', 'localhost/discovery');
    await builder.makeBase('docker.io/library/debian:bookworm-slim');
    await builder.build('deploy/etcd.Dockerfile', 'deploy', 'localhost/etcd');
  });
  after(() => builder.remove());

  /** Runs a compose file's services, and then the steps beside them. Returns what the steps print. */
  async function compose(file: string, steps: string): Promise<string> {
    const containers: Container[] = [];
    for (const [name, service] of Object.entries(composeServices(file))) {
      containers.push({ name, service, ...(await builder.container(`localhost/${name}`)) });
    }
    return runAlone(composeScript(containers, steps));
  }

  test('the service runs over the etcd beside it, as a user, on a read-only root', async () => {
    const output = await compose(
      'deploy/compose.yaml',
      `start_etcd >/dev/null 2>&1 & healthy etcd
start_discovery >&2 & healthy discovery
curl -sS -X PUT 'localhost:8087/new?size=3'`,
    );
    assert.match(output, /^http:\/\/localhost:8087\/[0-9a-f]{32}$/);
  });

  test('with the embedded store it writes nothing but its volume, and a token outlives a restart', async () => {
    const output = await compose(
      'deploy/compose.embedded.yaml',
      `start_discovery >/dev/null & first=$!; healthy discovery
url=$(curl -sS -X PUT 'localhost:8087/new?size=3')
kill $first; wait $first || true
start_discovery >/dev/null & healthy discovery
curl -sS "$url/_config/size"`,
    );
    assert.equal((JSON.parse(output) as { node: { value: string } }).node.value, '3');
  });

  test('the image holds what runs, and not what only builds or tests', async () => {
    const { root, config } = await builder.container('localhost/discovery');
    assert.equal(config.User, '1000:1000');
    const label = (name: string): string | undefined => config.Labels[`org.opencontainers.image.${name}`];
    assert.deepEqual(
      [label('title'), label('licenses'), label('version')],
      ['etcd-discovery', 'Apache-2.0', VERSION],
    );
    const files = await runAlone(
      `cd ${root}/app && find . -maxdepth 3 -not -path './node_modules/*/*' | sort`,
    );
    assert.match(files, /^\.\/dist\/src\/main\.js$/m);
    assert.doesNotMatch(files, /typescript|oxlint|biome|esbuild|dist\/test|dist\/bench|\.map$/m);
  });
});

async function runAlone(script: string): Promise<string> {
  const child = spawn('unshare', ['--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', script]);
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 0, `${errors}${output}`);
  return output.trim();
}
