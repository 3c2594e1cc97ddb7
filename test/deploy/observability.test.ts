import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parse } from 'yaml';
import { needCommands } from '../support/debian.ts';
import { type RunningService, startService } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

const ALERTS = 'deploy/alerts.yaml';

/** A query, and the labels that its legend or text shows. */
interface Query {
  readonly where: string;
  readonly expr: string;
  readonly shown: readonly string[];
}

interface Rules {
  readonly groups: ReadonlyArray<{
    readonly rules: ReadonlyArray<{ alert: string; expr: string; annotations: Record<string, string> }>;
  }>;
}

interface Dashboard {
  readonly templating: { readonly list: ReadonlyArray<{ name: string; definition?: string }> };
  readonly panels: ReadonlyArray<{
    title: string;
    targets?: ReadonlyArray<{ expr: string; legendFormat?: string }>;
  }>;
}

const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, first = '']) => first);

const rules = (parse(readFileSync(ALERTS, 'utf8')) as Rules).groups.flatMap((group) => group.rules);

function queries(): Query[] {
  const dashboard = JSON.parse(readFileSync('deploy/grafana.json', 'utf8')) as Dashboard;
  const variables = dashboard.templating.list.map(({ name, definition = '' }) => ({
    where: `variable ${name}`,
    expr: definition,
    shown: matches(definition, /label_values\(.*, (\w+)\)/g),
  }));
  const targets = dashboard.panels.flatMap(({ title, targets: of = [] }) =>
    of.map(({ expr, legendFormat = '' }) => ({
      where: `panel ${title}`,
      expr,
      shown: matches(legendFormat, /\{\{(\w+)\}\}/g),
    })),
  );
  const alerts = rules.map(({ alert, expr, annotations }) => ({
    where: `alert ${alert}`,
    expr,
    shown: matches(Object.values(annotations).join(' '), /\$labels\.(\w+)/g),
  }));
  return [...variables, ...targets, ...alerts];
}

/** The metrics of a service: the values of each label, by sample name. */
type Exposed = ReadonlyMap<string, ReadonlyMap<string, Set<string>>>;

function exposed(text: string): Exposed {
  const all = new Map<string, Map<string, Set<string>>>([['up', new Map()]]);
  for (const line of text.split('\n')) {
    const [, name, labels = ''] = /^([a-zA-Z_]\w*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    let of = all.get(name);
    if (of === undefined) all.set(name, (of = new Map<string, Set<string>>()));
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      of.set(label, (of.get(label) ?? new Set()).add(value));
    }
  }
  return all;
}

/** Labels that Prometheus adds to every scraped sample. */
const ITS_OWN = ['job', 'instance'];

/** Returns the names in a query that no service exposes. */
function unknownTo(all: Exposed, { where, expr, shown }: Query): string[] {
  const problems: string[] = [];
  const known = new Set(ITS_OWN);
  for (const [, name = '', selector = ''] of expr.matchAll(
    /\b((?:discovery|endpoint|process|nodejs)_\w+|up)\b(?:\{([^}]*)\})?/g,
  )) {
    const labels = all.get(name);
    if (labels === undefined) problems.push(`no metric ${name}`);
    for (const label of labels?.keys() ?? []) known.add(label);
    for (const [, label = '', operator = '', value = ''] of selector.matchAll(/(\w+)(=~|=)"([^"]*)"/g)) {
      if (ITS_OWN.includes(label)) continue;
      const pattern = new RegExp(`^(?:${value})$`);
      const fits = (seen: string): boolean => (operator === '=' ? seen === value : pattern.test(seen));
      if (![...(labels?.get(label) ?? [])].some(fits)) {
        problems.push(`${where}: ${name} has no ${label}${operator}"${value}"`);
      }
    }
  }
  const grouped = matches(expr, /\b(?:by|on) \(([^)]*)\)/g).flatMap((list) => list.split(', '));
  for (const label of [...grouped, ...shown]) {
    if (!known.has(label)) problems.push(`no metric in it has the label ${label}`);
  }
  return problems;
}

suite('the dashboard and the alerts', () => {
  let service: RunningService;
  let all: Exposed;
  before(async () => {
    service = await startService();
    const { client, url } = service;
    await client.createToken({ token: 'seen', size: 3 });
    await (await fetch(`${url}/seen`)).text();
    const leave = new AbortController();
    await fetch(`${url}/seen?wait=true`, { signal: leave.signal });
    leave.abort();
    await (await fetch(`${url}/new?size=3`)).text();
    await (await fetch(`${url}/health`)).text();
    const metrics = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
    await waitFor('every request to be counted', async () => {
      const text = await metrics();
      return [
        'discovery_wait_duration_seconds_count',
        'endpoint_health_requests_total{',
        'surface="rpc"',
      ].every((part) => text.includes(part));
    });
    all = exposed(await metrics());
    // A healthy service has no such response.
    all.get('discovery_requests_total')?.get('code')?.add('500');
  });
  after(() => service.stop());

  test('use only metrics, labels and values that a running service exposes', () => {
    assert.ok(queries().length > 30);
    assert.deepEqual(
      queries().flatMap((query) => unknownTo(all, query)),
      [],
    );
  });

  test('would fail on a misspelt metric, label or value', () => {
    const wrong = (expr: string, shown: readonly string[] = []): number =>
      unknownTo(all, { where: 'x', expr, shown }).length;
    assert.equal(wrong('sum(discovery_token)'), 1);
    assert.equal(wrong('discovery_waits{surfaces="v2"}'), 1);
    assert.equal(wrong('discovery_waits{surface="v4"}'), 1);
    assert.equal(wrong('sum by (shape) (discovery_waits)'), 1);
    assert.equal(wrong('discovery_waits', ['shape']), 1);
    assert.equal(wrong('sum by (surface) (discovery_waits{surface=~"v2|rpc"})', ['surface']), 0);
  });

  test('have a section for every alert in the document', () => {
    const guide = readFileSync('docs/operating/alerts.md', 'utf8');
    for (const { alert } of rules) assert.ok(guide.includes(`\n## ${alert}\n`), alert);
  });

  test('the reference lists every metric, and no others', () => {
    const guide = readFileSync('docs/reference/metrics.md', 'utf8');
    const ours = [...all.keys()].filter((name) => name.startsWith('discovery_'));
    const names = new Set(ours.map((name) => name.replace(/_(bucket|sum|count)$/, '')));
    assert.deepEqual(new Set(matches(guide, /^\| `(discovery_\w+)/gm)), names);
  });
});

const absent = await needCommands({ promtool: 'prometheus' });

suite('the alert rules in Prometheus', { skip: absent }, () => {
  test('are valid', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', ALERTS], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout + stderr);
  });

  test('fire for an unhealthy service, each of them, and stay silent for a healthy one', (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, 'tests.yaml');
    const tests = readFileSync('test/deploy/alerts.test.yaml', 'utf8');
    for (const { alert } of rules) assert.ok(tests.includes(`alertname="${alert}"`), alert);
    writeFileSync(file, tests.replace('[ALERTS]', `['${resolve(ALERTS)}']`));
    execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  });
});
