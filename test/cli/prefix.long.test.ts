import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePorts } from '../etcd/harness/ports.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { Service } from '../etcd/harness/service.ts';
import { PACKAGES, startNginxBelowPath } from '../proxies/proxies.ts';
import { Command, run } from '../support/child.ts';
import { needCommands } from '../support/debian.ts';
import { waitFor } from '../support/wait.ts';

const skip = (await needCommands({ nginx: PACKAGES.nginx })) ?? false;

/** Returns the arguments of a printed command of this program, ready to run. */
function printed(text: string, name: string): string[] {
  const [, line = ''] = new RegExp(`etcd-discovery (${name} .*)$`, 'm').exec(text) ?? [];
  return line.split(' ');
}

for (const proxy of ['strips', 'keeps'] as const) {
  test(`every command works below a path that nginx ${proxy}`, { skip }, async (t) => {
    const scene = await Scene.open(t);
    const [stripped = 0, kept = 0] = await freePorts(2);
    const base = `http://127.0.0.1:${proxy === 'strips' ? stripped : kept}/disc`;
    const service = await Service.start(scene, ['--host', base]);
    await startNginxBelowPath(scene, new URL(service.url).host, { stripped, kept });
    const says = async (args: readonly string[], env?: Record<string, string>): Promise<string> => {
      const { code, stdout, stderr } = await run(args, env);
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
      return stdout;
    };

    assert.equal(await says(['health', '--server', `${base}/`]), 'OK\n');
    const made = await run(['new', '--size', '2'], { DISC_SERVER: base });
    assert.match(made.stdout, new RegExp(`--discovery ${base}/[0-9a-f]{32}\\n`));
    assert.match(made.stderr, /without the path \/disc/);
    const watch = new Command(printed(made.stdout, 'watch'));
    t.after(() => watch.child.kill('SIGKILL'));
    const [, url = ''] = printed(made.stdout, 'watch');
    assert.ok(url.startsWith(`${base}/`), url);
    await waitFor('the watch', () => watch.stdout.includes('0 of 2, 2 missing'));

    const node = ['--name', 'infra1', '--peer-url', 'http://10.0.0.1:2380'];
    await says(['register', url, ...node]);
    await says(['deregister', url, 'infra1']);
    await says(['register', url, ...node]);
    await says(['register', url, '--name', 'infra2', '--peer-url', 'http://10.0.0.2:2380']);
    await waitFor('the watch to report it', () => watch.stdout.includes('complete'));
    assert.match(await says(['wait', url, '--timeout', '30s']), /^infra1=\S+,infra2=\S+\n$/);
    assert.match(await says(['show', url]), /state: +complete/);
    const token = url.slice(base.length + 1);
    assert.match(await says(['list-members', token, '--server', base]), /infra1/);
    assert.match(await says(['flags', url, '--etcd', '3.5', '--name', 'infra1', '--ip', '10.0.0.1']), /etcd/);
    const late = ['--name', 'infra3', '--peer-url', 'http://10.0.0.3:2380'];
    assert.match(await says(['join-late', url, ...late]), /member add infra3/);
    await says(['reopen', url]);
    await says(['delete', url, '--yes']);

    const unknown = await run(['show', `${base}/nobody`]);
    assert.equal(unknown.code, 4);
    const unused = (await says(['new', '--size', '2', '--quiet', '--server', base])).trim();
    await says(['delete', unused, '--yes']);
    const deleted = await run(['list-members', unused]);
    assert.ok(deleted.stderr.endsWith(` new --size 2 --server ${base}\n`), deleted.stderr);
    const outside = await run(['show', `${new URL(base).origin}/${token}`]);
    assert.equal(outside.code, 3, 'a URL outside of the path is not the service');
    const noToken = await run(['show', base, '--server', base]);
    assert.match(noToken.stderr, /the URL has no token/);
  });
}
