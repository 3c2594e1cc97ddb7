import { afterEach, describe, test } from 'node:test';
import { Discovery } from '../../src/discovery/discovery.ts';
import { DEFAULT_POLICY, type Policy } from '../../src/discovery/policy.ts';
import type { Store } from '../../src/discovery/store.ts';
import { millis, revision } from '../../src/discovery/types.ts';
import { concurrencyLaws } from './laws/concurrency.ts';
import { durabilityLaws } from './laws/durability.ts';
import { eventsLaws } from './laws/events.ts';
import { listLaws } from './laws/list.ts';
import { newestLaws } from './laws/newest.ts';
import { refusalsLaws } from './laws/refusals.ts';
import { revisionsLaws } from './laws/revisions.ts';
import { expectRefusal, type Opened } from './laws/subject.ts';
import { sweepLaws } from './laws/sweep.ts';
import { watchLaws } from './laws/watch.ts';
import { create, token } from './support/commands.ts';
import type { MakePlace, Place } from './support/factory.ts';

/** Defines the tests that every store must pass. Call it once for each store. */
export function laws(name: string, makePlace: MakePlace): void {
  describe(`the laws of a store: ${name}`, () => {
    const places: Place[] = [];
    const open: Store[] = [];

    afterEach(async () => {
      for (const store of open.splice(0)) await store.close();
      for (const place of places.splice(0)) place.destroy();
    });

    function newPlace(): Place {
      const place = makePlace();
      places.push(place);
      return place;
    }

    async function openPlace(place: Place, changed: Partial<Policy> = {}): Promise<Opened> {
      const policy = { ...DEFAULT_POLICY, ...changed };
      const store = await place.open(policy);
      open.push(store);
      return { store, discovery: new Discovery(store, policy) };
    }

    async function reopen(place: Place, changed?: Partial<Policy>): Promise<Opened> {
      for (const store of open.splice(0)) await store.close();
      return openPlace(place, changed);
    }

    const start = (policy?: Partial<Policy>): Promise<Opened> => openPlace(newPlace(), policy);
    const subject = { start, newPlace, reopen };
    durabilityLaws(subject);
    revisionsLaws(subject);
    concurrencyLaws(subject);
    refusalsLaws(subject);
    sweepLaws(subject);
    eventsLaws(subject);
    listLaws(subject);
    newestLaws(subject);
    watchLaws(subject);

    test('a closed store fails every call with a reason, and can be closed twice', async () => {
      const { store, discovery } = await start();
      const t = token();
      await discovery.createToken(create(t));
      await store.close();
      await store.close();
      await expectRefusal('STORE_UNAVAILABLE', store.ping());
      await expectRefusal('STORE_UNAVAILABLE', store.revision());
      await expectRefusal('STORE_UNAVAILABLE', store.read(t));
      await expectRefusal('STORE_UNAVAILABLE', store.events(t, revision(0), 1));
      await expectRefusal('STORE_UNAVAILABLE', store.list(undefined, 1));
      await expectRefusal('STORE_UNAVAILABLE', store.newest('FORMING', undefined, 1));
      await expectRefusal('SHUTTING_DOWN', discovery.deleteToken(t));
      await expectRefusal('SHUTTING_DOWN', store.sweep(millis(1), 1));
    });
  });
}
