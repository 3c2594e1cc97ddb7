import { readFileSync } from 'node:fs';

/**
 * Returns a warning if the process may have fewer open files than connections. Undefined if the limit
 * suffices or is unknown. (Node.js itself has already raised the limit as far as it may.)
 */
export function openFilesWarning(maxConnections: number): string | undefined {
  const limit = openFilesLimit();
  if (limit === undefined || limit >= maxConnections) return undefined;
  return (
    `the open-file limit (${limit}) is below --max-connections (${maxConnections}), and connections beyond it are dropped; ` +
    `raise the limit (ulimit -Hn, LimitNOFILE=), or set --max-connections well below it`
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
