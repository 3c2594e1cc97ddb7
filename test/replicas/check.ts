import type { ListedMember, Listing, RecordedHistory, Registration, Watching } from './history.ts';

/**
 * Returns what in a history breaks the guarantees of the service: acknowledged registrations are kept, nothing is
 * duplicated, a read sees every earlier write, and a watch reports each change once and in order.
 */
export function check(recorded: RecordedHistory): string[] {
  return [...recorded.sizes].flatMap(([token, size]) => {
    const final = recorded.final.get(token);
    if (final === undefined) return [`${token}: has no last list`];
    const calls = recorded.calls.filter((call) => call.token === token);
    const lists = calls.filter((call) => call.type === 'LIST');
    const registrations = calls.filter((call) => call.type === 'REGISTER');
    const watches = recorded.watches.filter((watch) => watch.token === token);
    const problems = [
      ...checkMembers(final, size),
      ...checkRegistrations(registrations, lists, final),
      ...lists.flatMap((list) => checkList(list, final)),
      ...checkOrder(lists),
      ...watches.flatMap((watch) => checkWatch(watch, final)),
    ];
    return problems.map((problem) => `${token}: ${problem}`);
  });
}

function checkMembers({ members }: Listing, size: number): string[] {
  const problems: string[] = [];
  for (const part of ['id', 'name', 'peerUrl', 'createRevision'] as const) {
    if (new Set(members.map((member) => member[part])).size < members.length) {
      problems.push(`two members have the same ${part}: ${format(members)}`);
    }
  }
  if (members.length > size) problems.push(`${members.length} members in a cluster of ${size}`);
  return problems;
}

function checkRegistrations(
  registrations: readonly Registration[],
  lists: readonly Listing[],
  final: Listing,
): string[] {
  const problems: string[] = [];
  for (const { id, outcome, createRevision, end } of registrations) {
    if (outcome !== 'DONE') continue;
    const isIn = ({ members }: Listing): boolean =>
      members.some((member) => member.id === id && member.createRevision === createRevision);
    if (!isIn(final))
      problems.push(`the registration of ${id} at ${createRevision} is lost: ${format(final.members)}`);
    for (const list of lists.filter(({ begin }) => begin > end)) {
      if (!isIn(list))
        problems.push(`a list at ${list.revision} does not see ${id}, acknowledged before it began`);
    }
  }
  const asked = registrations.filter(({ outcome }) => outcome !== 'REFUSED');
  for (const { id, name, peerUrl } of final.members) {
    const isAsked = asked.some((each) => each.id === id && each.name === name && each.peerUrl === peerUrl);
    if (!isAsked)
      problems.push(`${id} (${name} at ${peerUrl}) is listed, but its registration did not succeed`);
  }
  return problems;
}

/** Checks that a list has exactly the members of its revision. */
function checkList({ revision, members }: Listing, final: Listing): string[] {
  const due = final.members.filter((member) => member.createRevision <= revision);
  if (isSame(members, due)) return [];
  return [`a list at ${revision} has ${format(members)} instead of ${format(due)}`];
}

/** Checks that a list that began after another ended is not older. */
function checkOrder(lists: readonly Listing[]): string[] {
  const problems: string[] = [];
  const byEnd = [...lists].sort((a, b) => a.end - b.end);
  let latest = 0n;
  let next = 0;
  for (const list of [...lists].sort((a, b) => a.begin - b.begin)) {
    for (let ended = byEnd[next]; ended !== undefined && ended.end < list.begin; ended = byEnd[++next]) {
      if (ended.revision > latest) latest = ended.revision;
    }
    if (list.revision < latest)
      problems.push(`a list at ${list.revision} began after one at ${latest} ended`);
  }
  return problems;
}

function checkWatch({ from, snapshot, events }: Watching, final: Listing): string[] {
  const before = final.members.filter(({ createRevision }) => createRevision <= from);
  const after = final.members.filter(({ createRevision }) => createRevision > from);
  const problems: string[] = [];
  if (!isSame(snapshot, before)) {
    problems.push(`a snapshot at ${from} has ${format(snapshot)} instead of ${format(before)}`);
  }
  if (
    !isSame(
      events.map(({ member }) => member),
      after,
    )
  ) {
    const reported = events.map(({ revision, member }) => `${member.id}@${revision}`).join(' ');
    problems.push(`a watch from ${from} reported ${reported || 'nothing'} instead of ${format(after)}`);
  }
  const wrong = events.find(({ revision, member }) => revision !== member.createRevision);
  if (wrong !== undefined)
    problems.push(`the registration at ${wrong.member.createRevision} was reported at ${wrong.revision}`);
  return problems;
}

const format = (members: readonly ListedMember[]): string =>
  members.map(({ id, createRevision }) => `${id}@${createRevision}`).join(' ') || 'no members';

const isSame = (a: readonly ListedMember[], b: readonly ListedMember[]): boolean =>
  a.length === b.length && a.every((member, i) => formatAll(member) === formatAll(b[i]));

const formatAll = (member: ListedMember | undefined): string =>
  member === undefined ? '' : `${member.id} ${member.name} ${member.peerUrl} ${member.createRevision}`;
