import { fileURLToPath } from 'node:url';
import { slow } from '../slow.ts';

// Programs of other projects. A long run builds and keeps them; a short run uses those that exist.

export type Tool =
  | { readonly path: string; readonly missing?: undefined }
  | { readonly path?: undefined; readonly missing: string };

const load = async <T>(name: string): Promise<T> =>
  (await import(new URL(`../../../test/tools/${name}`, import.meta.url).href)) as T;
// Plain JavaScript that is not compiled to dist/: it is in the clone, three levels up from dist/test/support.
const { cacheDirectory, provideGoProgram } =
  await load<typeof import('../tools/go-build.mjs')>('go-build.mjs');

export { cacheDirectory };
export const { onPath } = await load<typeof import('../tools/debian.mjs')>('debian.mjs');
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));
export const IN_A_LONG_RUN = 'a long run builds it (npm test -- --slow)';

/** Returns a program of a Go module. `module` includes the version, and `main` is the program's path in it. */
export function goProgram(name: string, version: string, module: string, main: string): Promise<Tool> {
  const source = `${module.slice(0, module.indexOf('@'))}${main}`;
  return provideGo({ name: `${name}-${version}`, get: [module], source });
}

export async function provideGo(program: Parameters<typeof provideGoProgram>[0]): Promise<Tool> {
  const tool = await provideGoProgram(program, { build: slow });
  return !('missing' in tool) || slow ? tool : { missing: `${tool.missing}: ${IN_A_LONG_RUN}` };
}
