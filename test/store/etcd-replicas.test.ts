import { forEachEtcdStore } from './etcd.ts';
import { laws } from './laws.ts';

await forEachEtcdStore(laws, 'TWO');
