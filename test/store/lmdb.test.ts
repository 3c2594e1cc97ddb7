import { laws } from './laws.ts';
import { lmdbPlace, memoryPlace } from './place.ts';

laws('memory', memoryPlace);
laws('lmdb', lmdbPlace);
