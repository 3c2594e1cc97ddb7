import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SETTINGS } from '../../src/settings/settings.ts';
import { run } from '../support/child.ts';

test('serve --help lists every setting with its variable and default, in lines that fit', async () => {
  const { code, stdout, stderr } = await run(['serve', '--help'], { DISC_ADDR: 'wrong' });
  assert.deepEqual([code, stderr], [0, '']);
  const text = stdout.replace(/\s+/g, ' ');
  for (const { flag, env, value, help, ...setting } of Object.values(SETTINGS)) {
    const spelt = flag === undefined ? '(no flag)' : `--${flag} ${value}`;
    assert.ok(text.includes(`${spelt} ${env} ${help}`), env);
    if ('default' in setting) assert.ok(text.includes(`(default ${setting.default})`), env);
    if ('old' in setting) assert.ok(text.includes(`--${setting.old?.flag}`), env);
  }
  for (const line of stdout.split('\n')) assert.ok(line.length <= 96, line);
});

test('an invalid setting prints one line on stderr and exits with code 2', async () => {
  assert.deepEqual(await run(['serve'], { DISC_ADDR: '8087' }), {
    code: 2,
    stdout: '',
    stderr:
      'etcd-discovery: DISC_ADDR "8087": must be host:port or :port with a port up to 65535, like :8087, 127.0.0.1:8087 or [::1]:8087\n',
  });
});
