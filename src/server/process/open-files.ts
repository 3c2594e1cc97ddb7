import { readFileSync } from 'node:fs';

/**
 * What to tell the operator when this process may not have as many files open as it may have connections; undefined
 * when it may, or where the system does not tell. (Node.js itself has raised the limit as far as it is let.)
 */
export function openFilesWarning(maxConnections: number): string | undefined {
  const limit = openFilesLimit();
  if (limit === undefined || limit >= maxConnections) return undefined;
  return (
    `this process may have ${limit} files open, connections included: those past it are closed without a word; ` +
    `raise the limit (ulimit -Hn, LimitNOFILE=), or set --max-connections (now ${maxConnections}) well below it`
  );
}

function openFilesLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files +(\d+) /m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
