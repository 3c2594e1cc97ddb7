import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { SpawnedService } from '../../support/child.ts';
import { onPath } from '../../support/debian.ts';
import { waitFor } from '../../support/wait.ts';
import { Authority, type Signed } from '../../tls/authority.ts';
import { CA_FILE } from '../../tls/files.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';

/** Validity of the first certificate: enough for a start on a busy machine. */
const GOOD_MS = 12_000;

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const skip = onPath('openssl') === undefined && 'openssl, which makes the certificates, is not on PATH';

await forEachEtcd((label, etcd) => {
  describe(`the client certificate for ${label}`, { skip }, () => {
    test('may expire: the service reports it, and uses a renewed one', async (t) => {
      const authority = new Authority(directory, 'etcd-clients');
      const bundle = join(directory, 'clients-ca.pem');
      writeFileSync(bundle, Buffer.concat([readFileSync(CA_FILE), authority.ca]));
      const scene = await Scene.open(t);
      const flags = { 'trusted-ca-file': bundle };
      const backing = await BackingEtcd.start(scene, { etcd, members: 1, tls: true, flags });
      const [member] = backing.members;
      assert.ok(member !== undefined);
      const used = { certFile: join(directory, 'used.pem'), keyFile: join(directory, 'used-key.pem') };
      const use = (signed: Signed): void => {
        for (const [file, bytes] of [
          [used.certFile, signed.cert],
          [used.keyFile, signed.key],
        ] as const) {
          writeFileSync(`${file}.new`, bytes);
          renameSync(`${file}.new`, file);
        }
      };
      const end = Date.now() + GOOD_MS;
      use(authority.issueUntil(new Date(end), 'short'));
      const service = await SpawnedService.start([
        '--etcd',
        member.clientUrl,
        `--etcd-prefix=${newPrefix()}`,
        `--etcd-cacert=${CA_FILE}`,
        `--etcd-cert=${used.certFile}`,
        `--etcd-key=${used.keyFile}`,
      ]);
      t.after(() => service.remove());
      const ready = async (): Promise<[number, string]> => {
        const answer = await fetch(`${service.url}/readyz`);
        return [answer.status, await answer.text()];
      };
      assert.equal((await ready())[0], 200);
      await waitFor('the certificate to expire', () => Date.now() > end + 1000, 2 * GOOD_MS);
      assert.equal((await ready())[0], 200, 'the open connection stays');

      await member.crash();
      member.startAgain();
      await backing.healthy();
      let lastText = '';
      await waitFor('/readyz to give the reason', async () => {
        const [status, text] = await ready();
        lastText = text;
        return status === 503 && /client certificate of the service has expired/.test(text);
      }).catch((error: unknown) => assert.fail(`${String(error)}: ${lastText}`));

      use(authority.issue('renewed'));
      await waitFor('the service to be ready', async () => (await ready())[0] === 200);
      assert.equal((await fetch(`${service.url}/new?size=3`)).status, 200);
      const lines = service.command.log().filter(({ level }) => level === 'warn');
      assert.ok(
        lines.some(({ msg }) => /client certificate of the service has expired/.test(String(msg))),
        JSON.stringify(lines),
      );
      await waitFor('the recovery to be logged', () =>
        service.command.log().some(({ msg }) => /is available again/.test(String(msg))),
      );
    });
  });
});
