import { DiscoveryError } from '../../discovery/errors.ts';
import type { Terminal } from '../command.ts';

/**
 * Says in one line why a command failed, and returns its exit code. What nobody foresaw is thrown on. `file`: where
 * the error names none.
 */
export function failed(error: unknown, terminal: Terminal, file?: string): number {
  const { code, path = file, message } = error as NodeJS.ErrnoException;
  if (!(error instanceof DiscoveryError) && typeof code !== 'string') throw error;
  const words = path === undefined || code === undefined ? undefined : FILE_ERRORS[code];
  terminal.err(`etcd-discovery: ${words === undefined ? message : `${path} ${words}`}\n`);
  return 1;
}

/** What is wrong with a file, after its name. For others Node's own words, which name the file, will do. */
const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EEXIST: 'is there already, and is not overwritten; choose another name',
  EISDIR: 'is a directory; name a file',
  EACCES: 'may not be read or written by this user',
};
