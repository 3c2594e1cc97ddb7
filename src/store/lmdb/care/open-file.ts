import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Returns a path of the data file that was removed from a directory while the process that uses it still
 * runs. That process no longer writes to it, so a plain copy is consistent. Linux shows only processes of
 * this user in this container.
 */
export function removedFile(directory: string): string | undefined {
  const removed = `${realDirectory(directory)}/data.mdb (deleted)`;
  for (const process of list('/proc').filter((name) => /^\d+$/.test(name))) {
    const files = join('/proc', process, 'fd');
    for (const name of list(files)) {
      const file = join(files, name);
      if (target(file) === removed) return file;
    }
  }
  return undefined;
}

/** The directory itself may be gone as well. */
function realDirectory(directory: string): string {
  try {
    return realpathSync(directory);
  } catch {
    const above = dirname(directory);
    return above === directory ? directory : join(realDirectory(above), directory.slice(above.length));
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function target(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
