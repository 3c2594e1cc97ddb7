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
  /** The world in this state, if it was kept. */
  readonly world: World | undefined;
}

/** Worlds kept at once, for about 250 KB each. */
const KEPT = 1000;

/** Explores all interleavings, shortest first, and each state of the world once. */
export async function explore(setup: Setup): Promise<Exploration> {
  const seen = new Set<string>();
  const queue: Known[] = [];
  let stories = 0;
  let kept = 0;
  /** Takes the world that the actions lead to. */
  const visit = async (actions: readonly string[], world: World): Promise<Failure | undefined> => {
    stories += 1;
    const key = createHash('sha1')
      .update(await stateText(world))
      .digest('base64');
    const isNew = !seen.has(key);
    seen.add(key);
    const { steps, events } = world.enabled();
    if (steps.length === 0) world.verdicts.quiet(world.slots, world.cluster);
    const { violation } = world.verdicts;
    const isKept = isNew && violation === undefined && kept < KEPT;
    if (isKept) kept += 1;
    else await world.close();
    if (violation !== undefined) return { violation, actions, story: world.story };
    const enabled = [...steps, ...events];
    if (isNew) queue.push({ actions, enabled, world: isKept ? world : undefined });
    return undefined;
  };
  let failure = await visit([], await replay(setup, []));
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    let { world } = next;
    if (world !== undefined) kept -= 1;
    for (const action of next.enabled) {
      if (failure !== undefined) break;
      const actions = [...next.actions, action];
      await world?.apply(action);
      failure = await visit(actions, world ?? (await replay(setup, actions)));
      // The other actions need a world of their own.
      world = undefined;
    }
    await world?.close();
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
