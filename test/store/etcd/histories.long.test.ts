import { histories } from '../histories.ts';
import { forEachEtcdStore } from '../support/etcd.ts';

// Fewer than for the embedded store, because each step waits for etcd.
await forEachEtcdStore((name, makePlace) => histories(name, makePlace, 20));
