import type { Random } from '../store/support/random.ts';
import type { Failure } from './explore.ts';
import type { Setup } from './setup.ts';
import { World } from './world.ts';

/** Runs actions, and then every step that remains. Skips those that cannot happen. */
export async function play(setup: Setup, actions: readonly string[]): Promise<Failure | undefined> {
  const world = await World.open(setup);
  try {
    for (const action of actions) await world.apply(action);
    await world.finish();
    const { violation } = world.verdicts;
    return violation && { violation, actions, story: world.story };
  } finally {
    await world.close();
  }
}

/** Runs one random story to its end. */
export async function playRandom(setup: Setup, random: Random, events: number): Promise<Failure | undefined> {
  const world = await World.open(setup);
  const actions: string[] = [];
  try {
    for (let i = 0; i < 400 && world.verdicts.violation === undefined; i++) {
      const now = world.enabled();
      const all = random.chance(events) && now.events.length > 0 ? now.events : now.steps;
      if (all.length === 0) break;
      const action = random.pick(all);
      actions.push(action);
      await world.apply(action);
    }
    await world.finish();
    const { violation } = world.verdicts;
    return violation && { violation, actions, story: world.story };
  } finally {
    await world.close();
  }
}

/** Shortens a failure: removes every action that it does not need. */
export async function shrink(setup: Setup, failure: Failure): Promise<Failure> {
  let best = failure;
  for (let length = Math.ceil(best.actions.length / 2); length >= 1; length = Math.floor(length / 2)) {
    for (let at = 0; at < best.actions.length; ) {
      const without = best.actions.toSpliced(at, length);
      const found = await play(setup, without);
      if (found?.violation.law === best.violation.law) best = found;
      else at += length;
    }
  }
  return best;
}
