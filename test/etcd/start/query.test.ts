import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readQuery } from '../../../src/etcd/start/query.ts';
import { curlLine, queryText } from '../../../src/etcd/start/query-text.ts';

const NODE = 'etcd=3.7&name=infra1&ip=10.0.0.1';

suite('a query for the start of a node', () => {
  test('accepts the minimum, and every parameter', () => {
    assert.deepEqual(readQuery(NODE), {
      type: 'ASKED',
      told: { etcd: '3.7', name: 'infra1', ip: '10.0.0.1' },
      format: 'flags',
    });
    const most =
      'etcd=3.5&name=infra%2B1&host=infra1.example.com&listen=%3A%3A&client-port=1&peer-port=65535&data-dir=/a%20b&data=lost&cert-file=/c&key-file=/k&trusted-ca-file=/ca&peer-cert-file=/pc&peer-key-file=/pk&peer-trusted-ca-file=/pca&discovery-cacert=/dca&endpoints=https://[fd00::1]:2379,http://a.b:1&mixed=true&format=json';
    assert.deepEqual(readQuery(most), {
      type: 'ASKED',
      told: {
        etcd: '3.5',
        name: 'infra+1',
        host: 'infra1.example.com',
        listen: '::',
        clientPort: 1,
        peerPort: 65_535,
        dataDir: '/a b',
        data: 'lost',
        certFile: '/c',
        keyFile: '/k',
        trustedCaFile: '/ca',
        peerCertFile: '/pc',
        peerKeyFile: '/pk',
        peerTrustedCaFile: '/pca',
        discoveryCacert: '/dca',
        endpoints: 'https://[fd00::1]:2379,http://a.b:1',
        mixed: true,
      },
      format: 'json',
    });
  });

  // Values that etcd would reject, and likely mistakes of a script.
  const WRONG: ReadonlyArray<readonly [query: string, problem: RegExp]> = [
    ['', /etcd, name and ip \(or host\) are missing/],
    ['etcd=3.7&name=infra1', /ip \(or host\) is missing/],
    ['etcd=3.8&name=infra1&ip=10.0.0.1', /etcd '3\.8': must be 3\.4, 3\.5, 3\.6 or 3\.7/],
    ['etcd=3.7&name=&ip=10.0.0.1', /name is empty/],
    ['etcd=3.7&name=in+fra&ip=10.0.0.1', /^name '.*': must be/],
    ['etcd=3.7&name=a%3Db&ip=10.0.0.1', /^name '.*': must be/],
    ['etcd=3.7&name=a%2Cb&ip=10.0.0.1', /^name '.*': must be/],
    ['etcd=3.7&name=a%0Ab&ip=10.0.0.1', /name 'a\?b': must be/],
    [`etcd=3.7&name=${'n'.repeat(254)}&ip=10.0.0.1`, /^name '.*': must be/],
    ['etcd=3.7&name=a&ip=infra1.example.com', /ip 'infra1.example.com': .*host takes a DNS name/],
    ['etcd=3.7&name=a&ip=0.0.0.0', /^ip '.*': must be/],
    ['etcd=3.7&name=a&ip=<IP>', /^ip '.*': must be/],
    ['etcd=3.7&name=a&host=0.0.0.0', /^host '.*': must be/],
    ['etcd=3.7&name=a&host=10.0.0.256', /^host '.*': must be/],
    ['etcd=3.7&name=a&host=-a.b', /^host '.*': must be/],
    ['etcd=3.7&name=a&host=a/b', /^host '.*': must be/],
    [`${NODE}&listen=infra1`, /listen 'infra1': .*DNS name/],
    [`${NODE}&peer-port=0`, /peer-port '0': must be a port/],
    [`${NODE}&client-port=65536`, /client-port '65536': must be a port/],
    [`${NODE}&client-port=2380`, /client-port and peer-port are both 2380/],
    [`${NODE}&cert-file=/a`, /cert-file requires key-file/],
    [`${NODE}&peer-key-file=/a`, /peer-key-file requires peer-cert-file/],
    [`${NODE}&peer-trusted-ca-file=/a`, /peer-trusted-ca-file .*peer-cert-file/],
    [`${NODE}&data-dir=a&format=systemd`, /data-dir must begin with \//],
    [`${NODE}&endpoints=10.0.0.1:2379`, /^endpoints '.*': must be/],
    [`${NODE}&data=gone`, /data 'gone': must be kept or lost/],
    [`${NODE}&mixed=maybe`, /mixed must be true or false/],
    [`${NODE}&format=toml`, /format must be flags, .* or json/],
    [`${NODE}&name=infra2`, /'name' .*twice/],
    [`${NODE}&datadir=/a`, /unknown parameter 'datadir'; .*\betcd, name, /],
    [`${NODE}&data-dir=%zz`, /percent-encoded/],
    [`${NODE}&data-dir=%ff`, /^data-dir '.*': must be/],
  ];
  for (const [query, problem] of WRONG) {
    test(`rejects ${query.length > 60 ? `${query.slice(0, 60)}...` : query}`, () => {
      const read = readQuery(query);
      assert.ok(read.type === 'WRONG');
      assert.match(read.problem, problem);
    });
  }

  test('reports a problem in the requested format', () => {
    assert.equal(readQuery('format=json').format, 'json');
    assert.equal(readQuery('etcd=1&format=json').format, 'json');
  });
});

test('the command for a boot script has every given parameter, and is empty while one is missing', () => {
  const place = { serviceUrl: 'https://x/disc/', token: 't:secret' };
  assert.equal(
    curlLine(place, { etcd: '3.7', name: 'a&b', ip: 'fd00::1', mixed: true }, 'env'),
    "curl -sS --fail-with-body 'https://x/disc/_start/t:secret?etcd=3.7&name=a%26b&ip=fd00::1&mixed=true&format=env'",
  );
  const missing = queryText({ etcd: '3.7' }, 'env');
  assert.ok(missing.includes('ip=<IP>'));
  assert.equal(readQuery(missing).type, 'WRONG');
});
