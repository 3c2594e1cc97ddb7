import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAssets } from '../../src/page/assets.ts';
import { toHtml } from '../../src/page/view/html.ts';
import { h } from '../../src/page/view/node.ts';
import { ring } from '../../src/page/view/ring.ts';
import { type Choice, FIRST_CHOICE, startSection } from '../../src/page/view/start.ts';
import { relativeText } from '../../src/page/view/time.ts';

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];

test('writes a time in the largest unit that gives at least two', () => {
  const table: ReadonlyArray<[ms: number, text: string]> = [
    [0, 'just now'],
    [-999, 'just now'],
    [SECOND, 'in 1 second'],
    [-SECOND, '1 second ago'],
    [90 * SECOND, 'in 90 seconds'],
    [119 * MINUTE, 'in 119 minutes'],
    [-2 * HOUR, '2 hours ago'],
    [DAY, 'in 24 hours'],
    [7 * DAY - 10, 'in 7 days'],
    [-400 * DAY, '400 days ago'],
  ];
  for (const [ms, text] of table) assert.equal(relativeText(1e12 + ms, 1e12), text);
});

test('escapes text and attributes, and joins adjacent texts as a browser does', () => {
  const element = h(
    'p',
    { title: `"'<>&`, hidden: true, id: undefined, lang: false },
    'a',
    '',
    ['<b>', false],
    'c',
  );
  assert.deepEqual(element.children, ['a<b>c']);
  assert.equal(toHtml(element), '<p title="&quot;&#39;&lt;&gt;&amp;" hidden>a&lt;b&gt;c</p>');
  assert.equal(toHtml(h('input', { value: '' })), '<input value="">');
});

test('the picture has a plate with the size, a dot per node, a line per connected pair, and an arc for many', () => {
  const count = (html: string, tag: string): number => html.split(`<${tag} `).length - 1;
  const five = toHtml(ring(3, 5));
  assert.deepEqual([count(five, 'circle'), count(five, 'line')], [6, 3]);
  const round = toHtml(ring(9, 9));
  assert.deepEqual([count(round, 'circle'), count(round, 'line')], [10, 9]);
  const many = toHtml(ring(500, 1000));
  assert.deepEqual([count(many, 'circle'), count(many, 'line')], [3, 0]);
  assert.match(many, /stroke-dasharray="194.8 389.6"/);
});

test('asks to replace placeholders only while there are some', () => {
  const place = {
    serviceUrl: 'http://discovery.example.com',
    token: 't',
    cluster: { complete: false, size: 3, members: [] },
  };
  const asksWith = (told: Partial<Choice['told']>): boolean => {
    const choice = { ...FIRST_CHOICE, told: { ...FIRST_CHOICE.told, ...told } };
    return toHtml(startSection(place, choice)).includes('<p class="note">Replace placeholders');
  };
  assert.equal(asksWith({}), true);
  assert.equal(asksWith({ name: 'infra1' }), true);
  assert.equal(asksWith({ name: 'infra1', ip: '10.0.0.1' }), false);
});

test('renders without assets when the page is not bundled', () => {
  const { urls, files } = readAssets('/nowhere/at/all');
  assert.deepEqual(urls, { script: undefined, style: undefined, icon: undefined });
  assert.equal(files.size, 0);
});
