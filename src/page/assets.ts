import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { AssetUrls } from './view/document.ts';

/** A built file of the page, named for its content: it never changes. */
export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
  /** The same, compressed. Made when it is first asked for. */
  readonly gzip: () => Promise<Buffer>;
}

export interface Assets {
  readonly urls: AssetUrls;
  readonly files: ReadonlyMap<string, Asset>;
}

/** Where the page's files are served, below the service's root. No token begins with an underscore. */
export const ASSET_FOLDER = '_page/';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const BUILT = fileURLToPath(new URL('./assets/', import.meta.url));
const compress = promisify(gzip);

/** The files that the build made for the browser. None: the page works, unstyled and without its script. */
export function readAssets(directory = BUILT): Assets {
  const files = new Map<string, Asset>();
  for (const name of namesIn(directory)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const bytes = readFileSync(join(directory, name));
    let compressed: Promise<Buffer> | undefined;
    files.set(name, { type, bytes, gzip: () => (compressed ??= compress(bytes, { level: 9 })) });
  }
  const url = (extension: string): string | undefined => {
    const name = [...files.keys()].find((each) => extname(each) === extension);
    return name === undefined ? undefined : `${ASSET_FOLDER}${name}`;
  };
  return { urls: { script: url('.js'), style: url('.css'), icon: url('.svg') }, files };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
