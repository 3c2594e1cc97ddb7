import { laws } from './laws.ts';
import { memoryPlace } from './support/place.ts';

// The store of other tests.
laws('memory', memoryPlace);
