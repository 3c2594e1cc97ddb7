import { histories } from './histories.ts';
import { memoryPlace } from './support/place.ts';

// The store of other tests.
histories('memory', memoryPlace, 40);
