import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { SETTINGS } from '../../src/server/settings.ts';
import { provideKubernetesValidate } from './tools.ts';

const FOLDER = 'deploy/kubernetes';
const FILES = readdirSync(FOLDER).map((name) => join(FOLDER, name));
const tool = await provideKubernetesValidate();

interface Container {
  readonly env: ReadonlyArray<{ readonly name: string; readonly value: string }>;
}

suite('the Kubernetes manifests', () => {
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  before(() => assert.ok(FILES.length >= 2, 'the manifests are found'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const validate = (file: string): { status: number | null; output: string } => {
    const { status, stdout, stderr } = spawnSync(tool.command ?? '', ['--strict', file], {
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  };

  for (const file of FILES) {
    test(`${file} is what Kubernetes takes`, { skip: tool.missing ?? false }, () => {
      const { status, output } = validate(file);
      assert.equal(status, 0, output);
    });

    test(`${file} sets only what the service knows, to values that it takes`, () => {
      const documents = parseAllDocuments(readFileSync(file, 'utf8')).map((each) => each.toJS() as unknown);
      const containers = documents.flatMap((each) => containersOf(each));
      assert.equal(containers.length, 1);
      for (const { name, value } of containers[0]?.env ?? []) {
        const setting = Object.values(SETTINGS).find((each) => each.env === name);
        assert.ok(setting !== undefined, `there is no setting ${name}`);
        assert.notEqual(setting.parse(value), undefined, `${name}=${value}`);
      }
    });
  }

  test('a manifest with a mistake is not taken', { skip: tool.missing ?? false }, () => {
    const wrong = join(directory, 'wrong.yaml');
    const text = readFileSync(join(FOLDER, 'etcd.yaml'), 'utf8');
    writeFileSync(wrong, text.replace('readinessProbe:', 'readynessProbe:'));
    assert.notEqual(validate(wrong).status, 0);
  });
});

function containersOf(document: unknown): Container[] {
  const { spec } = document as { spec?: { template?: { spec?: { containers?: Container[] } } } };
  return spec?.template?.spec?.containers ?? [];
}
