import { TOKEN } from './setup.ts';
import type { World } from './world.ts';

/**
 * Returns the state that determines what can happen next as a text. Of several histories that lead to the same text,
 * only one needs to be followed. Revisions are replaced by their ranks, because only their order matters, and nodes
 * of one dialect are numbered by their state. It does not include what the service remembers besides the store.
 */
export async function stateText(world: World): Promise<string> {
  const { slots, cluster, budget, verdicts, store } = world;
  const since = slots
    .flatMap(({ machine }) => machine.memory)
    .filter((each) => typeof each === 'bigint')
    .reduce<bigint | undefined>(
      (least, each) => (each > 0n && (least === undefined || each < least) ? each : least),
      undefined,
    );
  const changes =
    since === undefined ? [] : await store.events(TOKEN, since as Parameters<typeof store.events>[1], 10_000);
  const nodes = slots.map(({ dialect, machine, isWaiting, letter, identity }) => {
    const { memory, outcome } = machine;
    const rank = cluster?.members.findIndex(({ id }) => id === identity.id);
    return { letter, text: json([dialect, rank, isWaiting, identity.peerUrl, memory, outcome ?? null]) };
  });
  nodes.sort((a, b) => (anonymous(a.text) < anonymous(b.text) ? -1 : 1));
  const numbers = new Map(nodes.map(({ letter }, i) => [letter, i + 1]));
  const { createTime: _c, expireTime: _e, ...rest } = cluster ?? {};
  const events = changes.map(({ type, revision, member }) => [type, revision, member?.id, member?.peerUrls]);
  const text = `${nodes.map((each) => each.text).join('\n')}\n${json([rest, budget, verdicts.memory, events])}`;
  return ranks(
    text.replace(NUMBERED, (_all, before: string, i: string) => `${before}${numbers.get(i) ?? i}`),
  );
}

/** The number of a node in its id, its name and its URL. */
const NUMBERED = /(f0{14}|\bn|10\.9\.\d\.)(\d)/g;

const anonymous = (text: string): string => text.replace(NUMBERED, '$1');

const json = (value: unknown): string =>
  JSON.stringify(value, (_name, each: unknown) => (typeof each === 'bigint' ? `#${each}#` : each));

function ranks(text: string): string {
  const found = new Set(text.match(/#-?\d+#/g) ?? []);
  const sorted = [...found].sort((a, b) => Number(BigInt(a.slice(1, -1)) - BigInt(b.slice(1, -1))));
  const rank = new Map(sorted.map((each, i) => [each, `#${i}`]));
  return text.replace(/#-?\d+#/g, (each) => rank.get(each) ?? each);
}
