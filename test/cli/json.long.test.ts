import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { run, SpawnedService } from '../support/child.ts';

// JSON output for programs: a documented shape in which no field is omitted because its value is zero or empty.
// ETCD_DISCOVERY_TEST_UPDATE=1 rewrites the golden file.

const GOLDEN = new URL('../../../test/golden/cli-output.jsonl', import.meta.url);

let service: SpawnedService;
before(async () => {
  service = await SpawnedService.start();
});
after(() => service.remove());

const CALLS: ReadonlyArray<readonly string[]> = [
  ['new', '--token', 'golden', '--size', '2'],
  ['new', '--token', 'guarded', '--size', '1', '--guard', 'join,administer', '--quiet'],
  ['show', 'golden'],
  ['list-members', 'golden'],
  ['register', 'golden', '--name', 'infra1', '--peer-url', 'http://10.0.0.1:2380'],
  ['deregister', 'golden', 'infra1'],
  ['register', 'golden', '--name', 'infra2', '--peer-url', 'http://10.0.0.2:2380'],
  ['register', 'golden', '--name', 'infra3', '--peer-url', 'http://10.0.0.3:2380'],
  ['wait', 'golden'],
  ['show', 'golden'],
  ['join-late', 'golden', '--name', 'infra4', '--peer-url', 'http://10.0.0.4:2380'],
  ['reopen', 'golden'],
  ['delete', 'golden', '--yes'],
  ['show', 'golden'],
  ['list-members', 'nobody'],
  ['new', '--size', '0'],
  ['health'],
];

/**
 * Replaces times, revisions, secrets and the service's URL, which differ between runs, and texts for people, which
 * may be rephrased.
 */
function steady(text: string): unknown {
  const plain = text
    .replaceAll(service.url, 'http://SERVICE')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replaceAll(/\d+(\.\d+)?(ms|[dhms])( \d+[hms])? ago/g, 'TIME ago')
    .replaceAll(/((?:guarded:|"secret":"))[\w-]{32}/g, '$1SECRET');
  return JSON.parse(plain, (name, value: unknown) => {
    if (/revision$/i.test(name)) return 'REVISION';
    return /^(?:message|next)$/.test(name) && value !== '' ? 'TEXT' : value;
  });
}

test('JSON output and errors keep their documented shape', async () => {
  const lines: string[] = [];
  for (const args of CALLS) {
    const { code, stdout, stderr } = await run([...args, '--output', 'json'], { DISC_SERVER: service.url });
    const [out, err] = [stdout, stderr].map((text) => (text === '' ? null : steady(text)));
    lines.push(JSON.stringify({ args, code, out, err }));
  }
  if (process.env['ETCD_DISCOVERY_TEST_UPDATE'] === '1') writeFileSync(GOLDEN, `${lines.join('\n')}\n`);
  assert.deepEqual(lines, readFileSync(GOLDEN, 'utf8').trimEnd().split('\n'));
});
