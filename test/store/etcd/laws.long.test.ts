import { laws } from '../laws.ts';
import { forEachEtcdStore } from '../support/etcd.ts';

await forEachEtcdStore(laws);
