import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { MEMBERS, makeCrowd } from '../bounds/support/crowd.ts';
import { Attacker } from './attackers.ts';
import { FloodedService } from './flooded.ts';
import { assertServed, GoodClient } from './good-client.ts';

const READERS = 8;
const FOR_MS = 4000;

suite(`other clients are served while ${READERS} clients repeatedly read a token of ${MEMBERS} members:`, () => {
  let service: FloodedService;
  let attacker: Attacker;
  let client: GoodClient;
  before(async () => {
    [service, attacker] = await Promise.all([FloodedService.start(), Attacker.start()]);
    await makeCrowd(service.url, 'crowd');
    client = await GoodClient.connect(service.url);
  });
  after(async () => {
    client.close();
    await attacker.end();
    await service.remove();
  });

  for (const [what, path, accept] of [
    ['its page', '/crowd', 'text/html'],
    ['its list', '/crowd', '*/*'],
  ] as const) {
    test(what, async () => {
      const order = { url: service.url + path, accept, readers: READERS, forMs: FOR_MS };
      let answers = 0;
      await assertServed(client, what, async () => {
        answers = await attacker.attack('read', order);
        return answers;
      });
      assert.ok(answers > READERS, `it was read ${answers} times`);
      service.assertWell();
    });
  }
});
