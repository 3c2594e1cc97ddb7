import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { SETTINGS } from '../../src/settings/settings.ts';
import { ONLY_IN_LONG_RUNS, slow } from '../slow.ts';
import {
  type Container,
  containersOf,
  type Manifest,
  type Policy,
  type PolicyRule,
  podOf,
} from './manifest.ts';
import {
  type Program,
  provideKubernetesValidate,
  provideKustomize,
  provideServiceMonitorCheck,
} from './tools.ts';

const FOLDER = 'deploy/kubernetes';
const OVERLAYS = readdirSync(join(FOLDER, 'overlays'));

/** The kinds of objects in each overlay. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  embedded: ['Service', 'StatefulSet', 'NetworkPolicy'],
  etcd: ['Service', 'Deployment', 'PodDisruptionBudget', 'NetworkPolicy'],
  'etcd-monitored': [
    'Service',
    'Service',
    'Deployment',
    'PodDisruptionBudget',
    'ServiceMonitor',
    'NetworkPolicy',
  ],
};

/** The ports of DNS and the store. */
const EGRESS: Readonly<Record<string, readonly number[]>> = {
  embedded: [],
  etcd: [53, 53, 2379],
  'etcd-monitored': [53, 53, 2379],
};

const kustomize: Program = slow ? await provideKustomize() : { missing: ONLY_IN_LONG_RUNS };

suite('the Kubernetes manifests, as rendered by kustomize', {
  skip: kustomize.missing ?? false,
}, async () => {
  if (kustomize.path === undefined) return;
  const { path } = kustomize;
  const [schemas, monitors] = await Promise.all([provideKubernetesValidate(), provideServiceMonitorCheck()]);
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const build = (folder: string): string => execFileSync(path, ['build', folder], { encoding: 'utf8' });
  const documentsOf = (text: string): Manifest[] =>
    parseAllDocuments(text).map((each) => each.toJS() as Manifest);
  const validate = (text: string): { status: number | null; output: string } => {
    const file = join(directory, 'rendered.yaml');
    writeFileSync(file, text);
    const { status, stdout, stderr } = spawnSync(schemas.command ?? '', ['--strict', file], {
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  };

  for (const overlay of OVERLAYS) {
    const text = build(join(FOLDER, 'overlays', overlay));
    const documents = documentsOf(text);
    const [container] = documents.flatMap((each) => containersOf(each)) as [Container];

    test(`${overlay} is valid`, { skip: schemas.missing ?? false }, () => {
      const { status, output } = validate(text);
      assert.equal(status, 0, output);
    });

    test(`${overlay} sets only known settings, to valid values`, () => {
      assert.equal(documents.flatMap((each) => containersOf(each)).length, 1);
      for (const { name, value } of container.env) {
        const setting = Object.values(SETTINGS).find((each) => each.env === name);
        assert.ok(setting !== undefined, `no setting ${name}`);
        assert.notEqual(setting.parse(value), undefined, `${name}=${value}`);
      }
    });

    test(`${overlay} runs the image that the document builds`, () => {
      const [, built] =
        /^docker build .*-t (\S+)/m.exec(readFileSync('docs/operating/deploying.md', 'utf8')) ?? [];
      assert.equal(container.image, built);
    });

    test(`${overlay} keeps the pod running, with few privileges`, () => {
      const kinds = documents.map(({ kind }) => kind);
      assert.deepEqual(kinds.sort(), [...(KINDS[overlay] ?? [])].sort());
      const { env, ports, livenessProbe, readinessProbe, securityContext } = container;
      const metrics = env.find(({ name }) => name === 'DISC_METRICS_ADDR')?.value;
      const port = ports.find(({ containerPort }) => metrics === `:${containerPort}`)?.name;
      // If the probe used the public port, reaching a limit there would disconnect all waiting nodes.
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

    test(`${overlay} allows traffic only to the served ports, and from the pod to its store`, () => {
      const policy = documents.find(({ kind }) => kind === 'NetworkPolicy') as Policy;
      const ports = (rules: readonly PolicyRule[]): unknown[] =>
        rules.flatMap((rule) => rule.ports.map(({ port }) => port));
      assert.deepEqual(policy.spec.policyTypes, ['Ingress', 'Egress']);
      assert.deepEqual(
        ports(policy.spec.ingress),
        container.ports.map(({ name }) => name),
      );
      assert.deepEqual(ports(policy.spec.egress), EGRESS[overlay]);
    });
  }

  const rendered = build(join(FOLDER, 'overlays/etcd-monitored'));
  test("the ServiceMonitor is valid for Prometheus' operator, and selects the port", {
    skip: monitors.missing ?? false,
  }, () => {
    const check = (text: string | undefined): number | null =>
      spawnSync(monitors.path ?? '', { input: text, encoding: 'utf8' }).status;
    const text = rendered.split('---\n').find((each) => each.includes('kind: ServiceMonitor'));
    assert.equal(check(text), 0);
    assert.notEqual(check(text?.replace('endpoints:', 'endpoint:')), 0, 'rejects a mistake');
    const service = documentsOf(rendered).find(
      ({ metadata: { labels } }) => labels['app.kubernetes.io/component'] === 'metrics',
    ) as { spec?: { ports: ReadonlyArray<{ name: string }> } } | undefined;
    assert.equal(service?.spec?.ports[0]?.name, /- port: (\w+)/.exec(text ?? '')?.[1]);
  });

  test('each component can be added to an overlay', () => {
    for (const component of readdirSync(join(FOLDER, 'components'))) {
      const own = mkdtempSync(join(FOLDER, 'overlays', 'try-'));
      try {
        const [resources, components] = ['../embedded', `../../components/${component}`];
        writeFileSync(
          join(own, 'kustomization.yaml'),
          `resources: [${resources}]\ncomponents: [${components}]\n`,
        );
        const pods = documentsOf(build(own)).map((each) => podOf(each));
        assert.equal(pods.filter((each) => each !== undefined).length, 1, component);
      } finally {
        rmSync(own, { recursive: true, force: true });
      }
    }
  });

  test('kubernetes-validate rejects a manifest with a mistake', { skip: schemas.missing ?? false }, () => {
    assert.notEqual(validate(rendered.replace('readinessProbe:', 'readynessProbe:')).status, 0);
  });
});
