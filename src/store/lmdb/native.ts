import { unavailable } from '../refusals.ts';

// Whoever opens the store loads this first, so that a program for another system says so and not where it was loaded.

const OTHERWISE = 'or keep the tokens in etcd (--etcd), which needs no native module';

/** LMDB's `open`. Importing this module fails with STORE_UNAVAILABLE when the native module cannot be loaded. */
export const { open } = await import('lmdb').catch((error: unknown) => {
  throw unavailable(nativeProblem(error), error);
});

/** Why LMDB's native module cannot be loaded, and what to do. `platform`: of this process. */
export function nativeProblem(error: unknown, platform = `${process.platform}-${process.arch}`): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const [line = ''] = message.split('\n', 1);
  const glibc = /version [`'"]?GLIBC_([\d.]+)['"]? not found/.exec(message)?.[1];
  if (glibc !== undefined) {
    return `the embedded store needs glibc ${glibc} or newer, which this system does not have: use a newer system or the container image, ${OTHERWISE}`;
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || line.startsWith('No native build was found')) {
    return `the native module of the embedded store is not installed for ${platform} (package @lmdb/lmdb-${platform}): install with --include=optional, on a system like this one, ${OTHERWISE}`;
  }
  return `the native module of the embedded store cannot be loaded for ${platform} (${line}): install the packages anew on a system like this one, ${OTHERWISE}`;
}
