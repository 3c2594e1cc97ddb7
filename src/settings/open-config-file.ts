import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { REQUEST_LIMITS } from '../limits.ts';
import { quote } from '../values/quote.ts';
import { type ConfigFile, parseConfigFile } from './config-file.ts';
import type { Given } from './read-flags.ts';

const READABLE_BY_ALL = 0o004;

/** Reads the configuration file that a setting names. Its mistakes are in `problems`. */
export function openConfigFile({ source, text: file }: Given): ConfigFile {
  const wrong = (problem: string): ConfigFile => ({
    givens: new Map(),
    problems: [problem],
    hasSecret: false,
  });
  const named = `${source} ${quote(file)}`;
  try {
    const { text, mode } = readBounded(file);
    if (text === undefined)
      return wrong(`${named}: the file is larger than ${REQUEST_LIMITS.configFileBytes} bytes`);
    const read = parseConfigFile(text, quote(file).slice(1, -1));
    if (!read.hasSecret || (mode & READABLE_BY_ALL) === 0) return read;
    return wrong(`${named}: the file contains a password and is readable by every user; run chmod o-r on it`);
  } catch (error) {
    // The error's own text has the whole name.
    const { code = '' } = error as NodeJS.ErrnoException;
    const problem = `${named}: cannot read the file: ${FILE_ERRORS[code] ?? code}`;
    return { ...wrong(problem), unreadable: problem };
  }
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENAMETOOLONG: 'the name is too long for a file',
  EACCES: 'permission denied',
};

/**
 * Reads a bounded number of bytes, also from files without a size such as pipes. No text: the file is too
 * large.
 */
function readBounded(file: string): { readonly text: string | undefined; readonly mode: number } {
  const fd = openSync(file, 'r');
  try {
    const { mode } = fstatSync(fd);
    const bytes = Buffer.alloc(REQUEST_LIMITS.configFileBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(fd, bytes, length, bytes.length - length, null);
    }
    const isWhole = length < bytes.length;
    return { text: isWhole ? bytes.toString('utf8', 0, length) : undefined, mode };
  } finally {
    closeSync(fd);
  }
}
