import { readFileSync } from 'node:fs';
import { Code } from '@connectrpc/connect';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { problemOf } from '../../src/cli/problem.ts';
import { DiscoveryError, type Reason } from '../../src/discovery/errors.ts';
import { ROWS } from '../../src/etcdv2/reasons.ts';
import { refusal } from '../../src/etcdv3/errors.ts';
import { rowOf } from '../../src/page/refusals.ts';
import { connectError } from '../../src/rpc/errors.ts';
import { table } from './table.ts';

/** Every reason, in the order of the proto file. */
const NAMES = Object.keys(ErrorReason).filter(
  (name): name is Reason => name !== 'UNSPECIFIED' && Number.isNaN(Number(name)),
);

/** Returns a table of what each reason means, from the proto file. The codes have a table of their own. */
export function reasonsTable(proto = readFileSync('proto/discovery/v1/error.proto', 'utf8')): string {
  const comments = new Map(
    [...proto.matchAll(/((?:^ +\/\/.*\n)+) +ERROR_REASON_(\w+) =/gm)].map(([, comment = '', name = '']) => [
      name,
      comment
        .replace(/^ +\/\/ ?/gm, '')
        .replace(/\s+/g, ' ')
        .replace(/ Code \w+\./, '')
        .trim(),
    ]),
  );
  return table(
    ['Reason', 'Meaning'],
    NAMES.map((name) => [`\`${name}\``, comments.get(name) ?? fail(name)]),
  );
}

/** Returns a table of how each surface reports each reason. */
export function codesTable(): string {
  const rows = NAMES.map((name) => {
    const error = connectError(new DiscoveryError(name, ''));
    const { status, errorCode } = ROWS[ErrorReason[name]];
    const { exitCode } = problemOf(error, SERVER);
    return [
      `\`${name}\``,
      codeName(error.code),
      codeName(refusal(error).code),
      `${status}, ${errorCode}`,
      String(rowOf(ErrorReason[name]).status),
      String(exitCode),
    ];
  });
  return table(['Reason', 'RPC', 'etcd v3', 'etcd v2', 'Page', 'Exit'], rows);
}

/** Returns a table of the next steps that the command line appends to the service's text. */
export function nextStepsTable(): string {
  const rows = NAMES.flatMap((name) => {
    const { next } = problemOf(connectError(new DiscoveryError(name, '')), SERVER);
    return next === undefined ? [] : [[`\`${name}\``, next]];
  });
  return table(['Reason', 'Next step'], rows);
}

const SERVER = 'http://localhost:8087';

/** Returns the name of a code in Connect's JSON. */
function codeName(code: Code): string {
  return Code[code].replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

function fail(name: string): never {
  throw new Error(`proto/discovery/v1/error.proto has no comment on ${name}`);
}
