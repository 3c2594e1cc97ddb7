import { createHash } from 'node:crypto';
import type { Setup } from './setup.ts';
import { stateText } from './state-text.ts';
import type { Violation } from './verdicts.ts';
import { World } from './world.ts';

export interface Failure {
  readonly violation: Violation;
  readonly actions: readonly string[];
  readonly story: readonly string[];
}

export interface Exploration {
  readonly states: number;
  readonly stories: number;
  /** The shortest failure. */
  readonly failure?: Failure;
}

interface Known {
  readonly actions: readonly string[];
  readonly enabled: readonly string[];
}

/** Explores all interleavings, shortest first, and each state of the world once. */
export async function explore(setup: Setup): Promise<Exploration> {
  const seen = new Set<string>();
  const queue: Known[] = [];
  let stories = 0;
  const visit = async (actions: readonly string[]): Promise<Failure | undefined> => {
    stories += 1;
    const world = await replay(setup, actions);
    try {
      const key = createHash('sha1')
        .update(await stateText(world))
        .digest('base64');
      const isNew = !seen.has(key);
      if (isNew) seen.add(key);
      const { steps, events } = world.enabled();
      if (steps.length === 0) world.verdicts.quiet(world.slots, world.cluster);
      const { violation } = world.verdicts;
      if (violation !== undefined) return { violation, actions, story: world.story };
      if (isNew) queue.push({ actions, enabled: [...steps, ...events] });
      return undefined;
    } finally {
      await world.close();
    }
  };
  let failure = await visit([]);
  for (let next = queue.shift(); next !== undefined && failure === undefined; next = queue.shift()) {
    for (const action of next.enabled) {
      failure ??= await visit([...next.actions, action]);
    }
  }
  return { states: seen.size, stories, ...(failure && { failure }) };
}

/** Runs actions. Skips those that cannot happen. */
export async function replay(setup: Setup, actions: readonly string[]): Promise<World> {
  const world = await World.open(setup);
  for (const action of actions) await world.apply(action);
  return world;
}

/** Describes a failure by the shortest story that causes it. */
export function failureText(name: string, { violation, actions, story }: Failure): string {
  const lines = story.map((line) => `  ${line}`).join('\n');
  return `${name}: ${violation.law}: ${violation.words}\nafter ${actions.join(', ')}\n${lines}`;
}
