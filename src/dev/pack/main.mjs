// `npm run pack`: writes the two published packages, as directories and as tarballs: etcd-discovery (the service) and
// etcd-discovery-client (the typed client). To dist/packages, or: npm run pack -- --into DIRECTORY

import { mkdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildService } from '../build.mjs';
import { installService } from '../install.mjs';
import { ROOT } from '../root.mjs';
import { npmPack } from './files.mjs';
import { layOutService } from './service.mjs';

const { values } = parseArgs({ options: { into: { type: 'string' } } });
await installService();
await buildService();
// Loaded after the installation, because esbuild is one of the packages.
const { layOutClient } = await import('./client.mjs');

const packages = resolve(values.into ?? join(ROOT, 'dist', 'packages'));
rmSync(packages, { recursive: true, force: true });
mkdirSync(packages, { recursive: true });
for (const layOut of [layOutService, layOutClient]) {
  console.log(relative(ROOT, npmPack(await layOut(packages), packages)));
}
