import { Code, ConnectError } from '@connectrpc/connect';
import type { RequestHead } from '../../port/port.ts';

/**
 * Returns the error for a call that requests an unknown version of Connect's protocol. Undefined for other
 * calls.
 */
export function versionProblem({ method, url = '', headers }: RequestHead): ConnectError | undefined {
  const inQuery = method === 'GET';
  const version = inQuery ? versionOf(url) : headers['connect-protocol-version'];
  if (version === undefined || version === (inQuery ? 'v1' : '1')) return undefined;
  const [named, known] = inQuery
    ? [`connect=${String(version)}`, 'connect=v1']
    : [`Connect-Protocol-Version: ${String(version)}`, 'Connect-Protocol-Version: 1'];
  return new ConnectError(
    `unsupported version of the Connect protocol: ${named}; use ${known}, or omit it`,
    Code.InvalidArgument,
  );
}

function versionOf(url: string): string | undefined {
  const query = url.indexOf('?');
  if (query < 0) return undefined;
  return new URLSearchParams(url.slice(query)).get('connect') ?? undefined;
}
