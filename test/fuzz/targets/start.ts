// Requests of boot scripts: `/_start/TOKEN?etcd=3.7&name=infra1&ip=10.0.0.1`.

import assert from 'node:assert/strict';
import { startTargetOf } from '../../../src/boot/target.ts';
import { answerFor, isRefusal } from '../../../src/etcd/start/answer.ts';
import { answerText } from '../../../src/etcd/start/answer-text.ts';
import { MIXED, PARAMETER_KEYS, PARAMETERS } from '../../../src/etcd/start/parameters.ts';
import { ANSWER_FORMATS, readQuery } from '../../../src/etcd/start/query.ts';
import { queryText } from '../../../src/etcd/start/query-text.ts';
import { classify } from '../../../src/server/http/classify.ts';
import { redactPath } from '../../../src/server/telemetry/redact.ts';
import type { Target } from '../target.ts';
import { assertFit } from '../words.ts';

const TOKEN = '6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b';
const CLUSTER = {
  complete: true,
  size: 3,
  members: [{ id: '1', name: "it's", peerUrls: ['http://10.0.0.2:2380'] }],
};

const startQuery: Target = {
  name: 'start-query',
  words: [
    ...[...PARAMETER_KEYS.map((key) => PARAMETERS[key].flag), MIXED.flag, 'format'].map(
      (each) => `&${each}=`,
    ),
    ...ANSWER_FORMATS,
    ...'3.4 3.7 infra1 10.0.0.1 fd00::1 :: 0.0.0.0 a.example.com 2379 65535 /var/lib/etcd kept lost true'.split(
      ' ',
    ),
    ...'https://[fd00::1]:2379 , %20 %2C %0A %00 %C2%85 %ff % + & = # \' " ` $(id) \\'.split(' '),
    'etcd=3.7&name=a&ip=10.0.0.1',
  ],
  check(input) {
    const read = readQuery(input.toString('latin1'));
    if (read.type === 'WRONG') return assertFit(read.problem);
    const { told, format } = read;
    const again = readQuery(queryText(told, format));
    assert.ok(again.type === 'ASKED', 'the printed query is read again');
    assert.deepEqual([{ mixed: false, ...again.told }, again.format], [{ mixed: false, ...told }, format]);
    const { data, ...node } = told;
    const answer = answerFor({ ...node, serviceUrl: 'https://disc.example', token: TOKEN }, CLUSTER, data);
    if (isRefusal(answer)) {
      assertFit(answer.message);
      return assertFit(answer.next);
    }
    if (format === 'json') return;
    // No value starts a line of its own, which a boot script could take for a step.
    const steps = answerText(answer, format).match(/^#\$ /gm)?.length ?? 0;
    assert.equal(steps, answer.steps.length);
  },
};

const startTarget: Target = {
  name: 'start-target',
  words: ['/_start/', TOKEN, ':secret', '/', '//', '?', '#', '%2F', '%3A', '%', '..', 'etcd=3.7', '&'],
  check(input) {
    const url = `/_start/${input.toString('latin1')}`;
    if (!/^[!-~]+$/.test(url)) return;
    assert.equal(classify({ method: 'GET', url, headers: {} }).surface, 'start');
    const { token, query } = startTargetOf(url);
    assert.ok(!query.includes('#'));
    if (token?.includes(TOKEN) === true) assert.ok(!redactPath(url).includes(TOKEN), redactPath(url));
  },
};

export const START_TARGETS: readonly Target[] = [startQuery, startTarget];
