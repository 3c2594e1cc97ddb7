import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { AssetUrls } from './view/document.ts';

/** Asset is a built file of the page, named after its content, which never changes. */
export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
  /** Returns the compressed file. It is compressed on first use. */
  readonly gzip: () => Promise<Buffer>;
}

export interface Assets {
  readonly urls: AssetUrls;
  readonly files: ReadonlyMap<string, Asset>;
}

/** The path of the page's files, below the service's root. No token starts with an underscore. */
export const ASSET_FOLDER = '_page/';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const BUILT = fileURLToPath(new URL('./assets/', import.meta.url));
const compress = promisify(gzip);

/** Reads the files built for browsers. Without them the page works, but unstyled and without its script. */
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
