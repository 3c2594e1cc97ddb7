import { hashSecret, issueSecret } from '../../discovery/access.ts';
import type { SecretHash } from '../../discovery/types.ts';
import { readWhole } from '../tls-files.ts';

export interface KnownCaller {
  readonly name: string;
  /** Whether the caller may list all clusters of the service. */
  readonly isOperator: boolean;
}

/** KnownCallers are the callers to which the operator has issued secrets, by the hashes of the secrets. */
export type KnownCallers = ReadonlyMap<SecretHash, KnownCaller>;

export const NOBODY: KnownCallers = new Map();

const NAME = /^[A-Za-z0-9._@-]{1,64}$/;
const LINE = /^([^:]*):sha256:([0-9a-f]{64})(:operator)?$/;

export function isCallerName(text: string): boolean {
  return NAME.test(text);
}

/** Creates a secret for a caller, and the line of --auth-file by which the service recognises it. */
export function issueCredential(
  name: string,
  role: 'CALLER' | 'OPERATOR' = 'CALLER',
): { secret: string; line: string } {
  const secret = issueSecret();
  const line = `${name}:sha256:${hashSecret(secret)}`;
  return { secret, line: role === 'OPERATOR' ? `${line}:operator` : line };
}

/** Reads the file of --auth-file. A string says what is wrong with it. */
export function readAuthFile(file: string): KnownCallers | string {
  const name = `--auth-file ${JSON.stringify(file)}`;
  const contents = readWhole(file);
  if (typeof contents === 'string') return `${name}: cannot read the file: ${contents}`;
  const callers = parseAuthFile(contents.toString('utf8'));
  return typeof callers === 'string' ? `${name}: ${callers}` : callers;
}

/**
 * Parses lines of NAME:sha256:HASH, for operators NAME:sha256:HASH:operator. Empty lines and lines that start
 * with # are skipped. A name may have several lines.
 */
export function parseAuthFile(text: string): KnownCallers | string {
  const callers = new Map<SecretHash, KnownCaller>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const [, name = '', hash, operator] = LINE.exec(content) ?? [];
    if (hash === undefined || !NAME.test(name)) {
      return `line ${i + 1} is not NAME:sha256:HASH or NAME:sha256:HASH:operator; create lines with etcd-discovery credential NAME`;
    }
    callers.set(hash as SecretHash, { name, isOperator: operator !== undefined });
  }
  return callers;
}
