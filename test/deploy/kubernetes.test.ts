import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { SETTINGS } from '../../src/settings/settings.ts';
import { provideKubernetesValidate } from './tools.ts';

const FOLDER = 'deploy/kubernetes';
const FILES = readdirSync(FOLDER).map((name) => join(FOLDER, name));
const tool = await provideKubernetesValidate();

interface Container {
  readonly env: ReadonlyArray<{ readonly name: string; readonly value: string }>;
  readonly ports: ReadonlyArray<{ readonly name: string; readonly containerPort: number }>;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly securityContext: Readonly<Record<string, unknown>>;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

/** What each file has to have. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  'etcd.yaml': ['Service', 'Deployment', 'PodDisruptionBudget', 'NetworkPolicy'],
  'embedded.yaml': ['Service', 'StatefulSet', 'NetworkPolicy'],
};

/** Names, and the store. */
const EGRESS: Readonly<Record<string, readonly number[]>> = {
  'etcd.yaml': [53, 53, 2379],
  'embedded.yaml': [],
};

interface Policy {
  readonly kind: string;
  readonly spec: {
    readonly policyTypes: readonly string[];
    readonly ingress: ReadonlyArray<{ readonly ports: ReadonlyArray<{ readonly port: unknown }> }>;
    readonly egress: Policy['spec']['ingress'];
  };
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

  for (const file of FILES) {
    test(`${file} keeps the pod up, and what gets into it small`, () => {
      const documents = parseAllDocuments(readFileSync(file, 'utf8')).map((each) => each.toJS() as unknown);
      assert.deepEqual(
        documents.map((each) => (each as { kind: string }).kind),
        KINDS[basename(file)],
      );
      const [container] = documents.flatMap((each) => containersOf(each));
      assert.ok(container !== undefined);
      const { env, ports, livenessProbe, readinessProbe, securityContext } = container;
      const metrics = env.find(({ name }) => name === 'DISC_METRICS_ADDR')?.value;
      const port = ports.find(({ containerPort }) => metrics === `:${containerPort}`)?.name;
      // At a limit of the public port a probe of that would have all waiting nodes cut off.
      assert.deepEqual(livenessProbe.httpGet, { path: '/livez', port });
      assert.deepEqual(readinessProbe.httpGet, { path: '/readyz', port });
      assert.deepEqual(securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      const pod = documents.map((each) => podOf(each)).find((each) => each !== undefined);
      assert.equal(pod?.securityContext.runAsNonRoot, true);
    });
  }

  for (const file of FILES) {
    test(`${file} lets in what is served, and out what its store needs`, () => {
      const documents = parseAllDocuments(readFileSync(file, 'utf8')).map((each) => each.toJS() as unknown);
      const policy = documents.find((each) => (each as Policy).kind === 'NetworkPolicy') as Policy;
      const [container] = documents.flatMap((each) => containersOf(each));
      const ports = (rules: Policy['spec']['ingress']): unknown[] =>
        rules.flatMap((rule) => rule.ports.map(({ port }) => port));
      assert.deepEqual(policy.spec.policyTypes, ['Ingress', 'Egress']);
      assert.deepEqual(
        ports(policy.spec.ingress),
        container?.ports.map(({ name }) => name),
      );
      assert.deepEqual(ports(policy.spec.egress), EGRESS[basename(file)]);
    });
  }

  test('a manifest with a mistake is not taken', { skip: tool.missing ?? false }, () => {
    const wrong = join(directory, 'wrong.yaml');
    const text = readFileSync(join(FOLDER, 'etcd.yaml'), 'utf8');
    writeFileSync(wrong, text.replace('readinessProbe:', 'readynessProbe:'));
    assert.notEqual(validate(wrong).status, 0);
  });
});

interface Pod {
  readonly containers: Container[];
  readonly securityContext: { readonly runAsNonRoot: boolean };
}

function podOf(document: unknown): Pod | undefined {
  return (document as { spec?: { template?: { spec?: Pod } } }).spec?.template?.spec;
}

function containersOf(document: unknown): Container[] {
  return podOf(document)?.containers ?? [];
}
