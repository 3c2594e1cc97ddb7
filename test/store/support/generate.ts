import { DEFAULT_POLICY, type Policy } from '../../../src/discovery/policy.ts';
import {
  type ClusterSize,
  type Description,
  type MemberId,
  type Millis,
  revision,
  type Token,
  type Ttl,
} from '../../../src/discovery/types.ts';
import { create, memberId, named, node, token, urls } from './commands.ts';
import type { Command, Model } from './model.ts';
import type { Random } from './random.ts';

// Few values of everything, so that commands conflict: tokens, ids, names and addresses are soon taken.

export const TOKENS = ['alpha', 'beta', 'gamma', 'Delta.9', 'e~'].map((text) => token(text));
const CALLS = [
  'register',
  'register',
  'register',
  'register',
  'register',
  'deregister',
  'deregister',
  'delete',
  'reopen',
  'get',
  'list',
] as const;
const IDS = ['1', 'a2', '8e9e05c52164694d', 'x.y'].map(memberId);
const NAMES = ['infra1', 'infra2', 'knoten-ä', 'd'];
const URLS = [
  'http://10.0.0.1:2380',
  'http://10.0.0.2:2380',
  'http://HOST:2380',
  'https://[::1]:1',
  'http://host:2380',
];

const LIFETIMES = [20_000, 45_000, 3_600_000, 3_600_000] as Ttl[];

export function randomPolicy(random: Random): Policy {
  const maxTokens = TOKENS.length - (random.chance(0.3) ? 1 : 0);
  return { ...DEFAULT_POLICY, retention: 60_000, maxTokens };
}

export function randomCommand(random: Random, model: Model, now: Millis): Command {
  // Tokens that ended reject everything: they are used, but seldom.
  const open = TOKENS.filter((each) => !model.hasEnded(each, now));
  const on = random.pick(open.length === 0 || random.chance(0.1) ? TOKENS : open);
  // A missing token is usually created first.
  const isThere = model.entries.has(on);
  const call = random.chance(isThere ? 0.1 : 0.7) ? 'create' : random.pick(CALLS);
  switch (call) {
    case 'create':
      return { call, token: on, create: randomCreate(random, on) };
    case 'register':
      return { call, token: on, register: randomRegister(random, model, on) };
    case 'deregister':
      return { call, token: on, id: random.pick(IDS), expected: randomRevision(random, model, on) };
    case 'delete':
      // Seldom: a deleted token is useless to the history until it is swept.
      return { call: random.chance(0.15) ? 'delete' : 'list', token: on };
    case 'reopen':
      return { call, token: on, ttl: random.pick(LIFETIMES) };
    default:
      return { call, token: on };
  }
}

/** Returns a revision after which a watch can start: anywhere around the events of the token. */
export function randomCursor(random: Random, model: Model): ReturnType<typeof revision> | undefined {
  if (random.chance(0.4)) return undefined;
  return revision(random.between(Number(model.start), Number(model.revision)));
}

function randomCreate(random: Random, on: Token): ReturnType<typeof create> {
  const ttl = random.pick(LIFETIMES);
  return create(on, {
    size: random.between(1, 3) as ClusterSize,
    ttl,
    allowRejoin: random.chance(0.2),
    ...(random.chance(0.3) ? { askedTtl: ttl } : {}),
    ...(random.chance(0.3) ? { description: random.pick(['', 'for tests']) as Description } : {}),
  });
}

function randomRegister(random: Random, model: Model, on: Token): ReturnType<typeof node> {
  const expected = random.chance(0.1) ? randomRevision(random, model, on) : undefined;
  // Half of the registrations use the values of one node each, which do not conflict.
  const which = random.between(0, IDS.length - 1);
  const own = random.chance(0.5);
  const first = own ? (URLS[which] as string) : random.pick(URLS);
  const second = random.pick(URLS);
  const two = !own && random.chance(0.4) && first.toLowerCase() !== second.toLowerCase();
  return node(0, {
    id: IDS[which] as MemberId,
    ...named(own ? (NAMES[which] as string) : random.pick(NAMES)),
    peerUrls: two ? urls(first, second) : urls(first),
    mode: random.pick(['CREATE', 'CREATE', 'REPLACE', 'CREATE_OR_REPLACE']),
    whenFull: random.pick(['REFUSE', 'STANDBY']),
    ...(expected === undefined ? {} : { expected }),
  });
}

/** Returns the right revision for some member, or sometimes a wrong one. */
function randomRevision(random: Random, model: Model, on: Token): ReturnType<typeof revision> | undefined {
  if (random.chance(0.6)) return undefined;
  const members = model.entries.get(on)?.cluster.members ?? [];
  if (members.length === 0 || random.chance(0.3)) return revision(random.between(1, 50));
  return random.pick(members).modRevision;
}
