import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WorkerProcess } from '../../src/server/process/workers/worker-process.ts';

const REFUSALS: ReadonlyArray<readonly [how: string, settings: object, why: RegExp]> = [
  ['in an event', { cwd: join(tmpdir(), 'etcd-discovery-test-no-such-directory') }, /\(spawn .* ENOENT\)$/],
  ['immediately', { cwd: undefined, uid: 'nobody' }, /"options\.uid"/],
];

for (const [how, settings, why] of REFUSALS) {
  test(`the primary survives a worker that cannot be started, which is reported ${how}`, async () => {
    cluster.setupPrimary({ stdio: ['ignore', 'pipe', 'inherit', 'ipc'], ...settings });
    const worker = new WorkerProcess(1, { pass: () => {}, gather: async () => '' });
    assert.equal(await worker.serving, undefined);
    const { code, signal, problem } = await worker.ended;
    assert.deepEqual([code, signal, worker.pid], [null, null, undefined]);
    assert.match(problem ?? '', /^could not start \(/);
    assert.match(problem ?? '', why);
    worker.tell({ type: 'STOP' });
    worker.kill();
  });
}
