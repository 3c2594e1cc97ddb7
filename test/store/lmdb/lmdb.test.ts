import { laws } from '../laws.ts';
import { lmdbPlace, memoryPlace } from '../support/place.ts';

laws('memory', memoryPlace);
laws('lmdb', lmdbPlace);
