import { unavailable } from '../refusals.ts';

// Load this before opening the store, so that a build for another platform causes a clear error.

const OTHERWISE = 'or store the tokens in etcd (--etcd), which does not need a native module';

/**
 * LMDB's `open`. Importing this module fails with STORE_UNAVAILABLE if the native module cannot be loaded.
 */
export const { open } = await import('lmdb').catch((error: unknown) => {
  throw unavailable(nativeProblem(error), error);
});

/** Returns why LMDB's native module cannot be loaded, and what to do. `platform` is that of this process. */
export function nativeProblem(error: unknown, platform = `${process.platform}-${process.arch}`): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const [line = ''] = message.split('\n', 1);
  const glibc = /version [`'"]?GLIBC_([\d.]+)['"]? not found/.exec(message)?.[1];
  if (glibc !== undefined) {
    return `the embedded store requires glibc ${glibc} or newer, and this system does not have it: use a newer system or the container image, ${OTHERWISE}`;
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || line.startsWith('No native build was found')) {
    return `the native module of the embedded store is not installed for ${platform} (package @lmdb/lmdb-${platform}): install with --include=optional on a system like this one, ${OTHERWISE}`;
  }
  return `cannot load the native module of the embedded store for ${platform} (${line}): reinstall the packages on a system like this one, ${OTHERWISE}`;
}
