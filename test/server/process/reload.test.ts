import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { issueCredential } from '../../../src/server/clients/auth-file.ts';
import { openCallers, reloadFiles } from '../../../src/server/reload.ts';
import { createLog } from '../../../src/server/telemetry/log.ts';
import { openPlainPort } from '../../port/support/plain.ts';
import { waitFor } from '../../support/wait.ts';

test('a caller removed from the file while the service starts is unknown', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'callers');
  const { secret, line } = issueCredential('left');
  writeFileSync(file, `${line}\n`);
  const auth = { mode: 'all', file } as const;
  const callers = openCallers(auth, () => true);
  writeFileSync(file, `${issueCredential('stays').line}\n`);
  const port = await openPlainPort((_, response) => response.end());
  t.after(() => port.drain(0));
  const lines: string[] = [];
  const log = createLog('info', { write: (text) => void lines.push(text) });
  const end = reloadFiles({ tls: undefined, auth }, { callers, port, log });
  t.after(end);
  await waitFor('the file to be read again', () => callers.signIn('left', secret) === undefined);
  assert.deepEqual(lines, []);
});
