import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefersHtml } from '../../src/page/accept.ts';
import { surfaceOf } from '../../src/server/http/classify.ts';

const FIREFOX = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const CHROME =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7';
const LYNX = 'text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01';

const TABLE: ReadonlyArray<[who: string, accept: string | undefined, html: boolean]> = [
  ['etcd and many programs', undefined, false],
  ['curl', '*/*', false],
  ['empty', '', false],
  ['Firefox', FIREFOX, true],
  ['Chrome', CHROME, true],
  ['Safari', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
  ['lynx', LYNX, true],
  ['an old browser', 'text/html, application/xhtml+xml, */*', true],
  ['a browser’s fetch', '*/*', false],
  ['an image tag', 'image/avif,image/webp,*/*;q=0.8', false],
  ['axios', 'application/json, text/plain, */*', false],
  ['JSON alone', 'application/json', false],
  ['HTML alone', 'text/html', true],
  ['in capitals', 'TEXT/HTML', true],
  ['HTML, a little', 'text/html;q=0.001', true],
  ['HTML excluded', 'text/html;q=0', false],
  ['JSON and HTML with equal quality', 'text/html, application/json', false],
  ['rather JSON', 'text/html;q=0.5, application/json', false],
  ['rather HTML', 'application/json;q=0.5, text/html', true],
  ['rather anything', 'text/html;q=0.5, */*', false],
  ['a preference for any application/*', 'text/html;q=0.5, application/*', false],
  ['a group of its own beats anything', 'text/html;q=0.5, application/*;q=0.1, */*', true],
  ['any text', 'text/*', false],
  ['XHTML alone', 'application/xhtml+xml', false],
  ['spaces and other parameters', ' text/html ; charset=utf-8 ; Q = 0.9 , */* ; q=0.1 ', true],
  ['an invalid quality', 'text/html;q=high', false],
  ['a quality above one', 'text/html;q=7', false],
  ['a lookalike', 'text/html5', false],
  ['commas alone', ',,,', false],
];

test('only a request that prefers HTML by name gets a page', () => {
  for (const [who, accept, html] of TABLE) {
    assert.equal(prefersHtml(accept, 'application/json'), html, `${who}: ${accept}`);
  }
});

test('browsers get pages for / and tokens; other paths and clients get the same responses as before', () => {
  const token = '/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b';
  const pages = ['/', '/?x=1', token, `${token}/`, '/my-cluster', '/my.Token', '/_page/new', '/_page/x.css'];
  for (const target of pages) assert.equal(surfaceOf(target, 'GET', FIREFOX), 'page', target);
  assert.equal(surfaceOf(token, 'HEAD', FIREFOX), 'page');
  assert.equal(surfaceOf('/_page/new', 'POST', undefined), 'page');
  const own = [
    '/new',
    '/new?size=3',
    '/version',
    '/v2',
    '/favicon.ico',
    '/v2/keys/_etcd/registry/a',
    '//',
    '',
  ];
  const more = [
    `${token}?wait=true`,
    `${token}?`,
    `${token}/_config/size`,
    `${token}/1`,
    '/a%2fb',
    'http://x/a',
  ];
  for (const target of own.concat(more)) assert.equal(surfaceOf(target, 'GET', FIREFOX), 'v2', target);
  assert.equal(surfaceOf('/health', 'GET', FIREFOX), 'health');
  assert.equal(surfaceOf('/metrics', 'GET', FIREFOX), 'metrics');
  assert.equal(surfaceOf('/discovery.v1.DiscoveryService/GetCluster', 'GET', FIREFOX), 'rpc');
  for (const method of ['PUT', 'POST', 'DELETE']) assert.equal(surfaceOf(token, method, FIREFOX), 'v2');
  for (const accept of [undefined, '*/*', 'application/json']) {
    assert.equal(surfaceOf(token, 'GET', accept), 'v2');
    assert.equal(surfaceOf('/', 'GET', accept), 'home');
  }
});
