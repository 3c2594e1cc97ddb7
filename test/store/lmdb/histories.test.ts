import { histories } from '../histories.ts';
import { lmdbPlace } from '../support/place.ts';

histories('lmdb', lmdbPlace, 40);
