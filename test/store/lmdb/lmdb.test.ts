import { laws } from '../laws.ts';
import { lmdbPlace } from '../support/place.ts';

laws('lmdb', lmdbPlace);
