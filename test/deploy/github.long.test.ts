import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { ONLY_IN_LONG_RUNS, slow } from '../slow.ts';
import { type Program, provideActionlint } from './tools.ts';

const WORKFLOWS = readdirSync('.github/workflows').map((name) => join('.github/workflows', name));
const FORMS = readdirSync('.github/ISSUE_TEMPLATE').map((name) => join('.github/ISSUE_TEMPLATE', name));
const read = (file: string): unknown => parse(readFileSync(file, 'utf8'));

const tool: Program = slow ? await provideActionlint() : { missing: ONLY_IN_LONG_RUNS };

suite('the workflows', { skip: tool.missing ?? false }, () => {
  const lint = (file: string): { status: number | null; output: string } => {
    const { status, stdout, stderr } = spawnSync(tool.path ?? '', [file], { encoding: 'utf8' });
    return { status, output: stdout + stderr };
  };

  for (const file of WORKFLOWS) {
    test(`actionlint accepts ${file}`, () => {
      const { status, output } = lint(file);
      assert.equal(status, 0, output);
    });
  }

  test('actionlint rejects a workflow with a mistake', (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const wrong = join(directory, 'release.yml');
    const text = readFileSync('.github/workflows/release.yml', 'utf8');
    writeFileSync(wrong, text.replace('steps.build.outputs', 'steps.built.outputs'));
    assert.equal(lint(wrong).status, 1);
  });
});

suite('the files that GitHub reads', () => {
  test('pin every third-party action by its commit, with its version in a comment', () => {
    const uses = WORKFLOWS.flatMap((file) => readFileSync(file, 'utf8').match(/uses: .*/g) ?? []);
    assert.ok(uses.length > 5);
    for (const line of uses.filter((each) => !each.startsWith('uses: ./'))) {
      assert.match(line, /^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });

  test('run .ci/run as the gate, before any release', () => {
    assert.match(readFileSync('.github/workflows/ci.yml', 'utf8'), /bash \.ci\/run$/m);
    const { jobs } = read('.github/workflows/release.yml') as { jobs: Record<string, { needs?: string }> };
    for (const [name, { needs }] of Object.entries(jobs)) {
      if (name !== 'gate') assert.equal(needs, 'gate', name);
    }
  });

  test('have forms with the fields that GitHub requires', () => {
    const fields = new Set(['markdown', 'textarea', 'input', 'dropdown', 'checkboxes']);
    for (const file of FORMS.filter((each) => !each.endsWith('config.yml'))) {
      const form = read(file) as {
        name: string;
        description: string;
        body: ReadonlyArray<{ type: string; id?: string; attributes: { label?: string; value?: string } }>;
      };
      assert.ok(form.name !== '' && form.description !== '', file);
      const ids = form.body.flatMap(({ id }) => id ?? []);
      assert.equal(new Set(ids).size, ids.length, file);
      for (const { type, attributes } of form.body) {
        assert.ok(fields.has(type), `${file}: ${type}`);
        assert.ok((type === 'markdown' ? attributes.value : attributes.label) !== undefined, file);
      }
    }
  });

  test('check for updates of everything that has dependencies', () => {
    const { updates } = read('.github/dependabot.yml') as {
      updates: ReadonlyArray<{ 'package-ecosystem': string; directory: string }>;
    };
    const needs: Readonly<Record<string, string>> = {
      npm: 'package-lock.json',
      'github-actions': '.github/workflows',
      docker: 'Dockerfile',
      'docker-compose': 'compose.yaml',
    };
    for (const { 'package-ecosystem': ecosystem, directory } of updates) {
      assert.ok(existsSync(join('.', directory, needs[ecosystem] ?? 'unknown')), ecosystem);
    }
  });
});
