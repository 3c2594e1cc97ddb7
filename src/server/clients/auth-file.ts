import { hashSecret, issueSecret } from '../../discovery/access.ts';
import type { SecretHash } from '../../discovery/types.ts';
import { readWhole } from '../tls-files.ts';

export interface KnownCaller {
  readonly name: string;
  /** Whether it may see all clusters of the service. */
  readonly isOperator: boolean;
}

/** The callers that the operator has given secrets to, by the hashes of the secrets. */
export type KnownCallers = ReadonlyMap<SecretHash, KnownCaller>;

export const NOBODY: KnownCallers = new Map();

const NAME = /^[A-Za-z0-9._@-]{1,64}$/;
const LINE = /^([^:]*):sha256:([0-9a-f]{64})(:operator)?$/;

export function isCallerName(text: string): boolean {
  return NAME.test(text);
}

/** A new secret for a caller, and the line by which the service knows it. */
export function issueCredential(
  name: string,
  role: 'CALLER' | 'OPERATOR' = 'CALLER',
): { secret: string; line: string } {
  const secret = issueSecret();
  const line = `${name}:sha256:${hashSecret(secret)}`;
  return { secret, line: role === 'OPERATOR' ? `${line}:operator` : line };
}

/** Reads the file of --auth-file, or says in one line what is wrong with it. */
export function readAuthFile(file: string): KnownCallers | string {
  const name = `--auth-file ${JSON.stringify(file)}`;
  const contents = readWhole(file);
  if (typeof contents === 'string') return `${name}: cannot be read: ${contents}`;
  const callers = parseAuthFile(contents.toString('utf8'));
  return typeof callers === 'string' ? `${name}: ${callers}` : callers;
}

/** Lines of NAME:sha256:HASH, of operators NAME:sha256:HASH:operator; empty ones and those that begin with # are left out. A name may have several. */
export function parseAuthFile(text: string): KnownCallers | string {
  const callers = new Map<SecretHash, KnownCaller>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const [, name = '', hash, operator] = LINE.exec(content) ?? [];
    if (hash === undefined || !NAME.test(name)) {
      return `line ${i + 1} is not NAME:sha256:HASH or NAME:sha256:HASH:operator; etcd-discovery credential NAME makes such lines`;
    }
    callers.set(hash as SecretHash, { name, isOperator: operator !== undefined });
  }
  return callers;
}
