import { histories } from '../histories.ts';
import { lmdbPlace, memoryPlace } from '../support/place.ts';

histories('memory', memoryPlace, 40);
histories('lmdb', lmdbPlace, 40);
