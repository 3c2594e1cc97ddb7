import { fileURLToPath } from 'node:url';
import { slow } from '../slow.ts';

// Programs that are not ours. Each is made once, in a long run, and kept; a short run uses those that are there.

export type Tool =
  | { readonly path: string; readonly missing?: undefined }
  | { readonly path?: undefined; readonly missing: string };

const load = async <T>(name: string): Promise<T> =>
  (await import(new URL(`../../../test/tools/${name}`, import.meta.url).href)) as T;
// Plain JavaScript that is not compiled to dist/: it lies in the clone, three levels up from dist/test/support.
const { cacheDirectory, provideGoProgram } =
  await load<typeof import('../tools/go-build.mjs')>('go-build.mjs');

export { cacheDirectory };
export const { onPath } = await load<typeof import('../tools/debian.mjs')>('debian.mjs');
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));
export const IN_A_LONG_RUN = 'it is made in a long run (npm test -- --slow) and kept';

/** A program of a Go module: `module` is one with its version, and `main` the path of the program in it. */
export function goProgram(name: string, version: string, module: string, main: string): Promise<Tool> {
  const source = `${module.slice(0, module.indexOf('@'))}${main}`;
  return provideGo({ name: `${name}-${version}`, get: [module], source });
}

export async function provideGo(program: Parameters<typeof provideGoProgram>[0]): Promise<Tool> {
  const tool = await provideGoProgram(program, { build: slow });
  return !('missing' in tool) || slow ? tool : { missing: `${tool.missing}: ${IN_A_LONG_RUN}` };
}
