import { isAt, type KnownMember } from './member.ts';
import { clientSchemeOf, DEFAULT_CLIENT_PORT, NAME_PLACEHOLDER, type NodeStart, peerUrlOf } from './node.ts';
import { shellWord } from './shell-word.ts';

/** A line for `sh`. To run it again does no harm. */
export type Step = string;

/** How many are asked: etcdctl goes on to the next when one does not answer. */
const ENDPOINTS_ASKED = 5;

/**
 * Adds the node to the running cluster, and takes out first who was added at its address and has never started. To
 * `replace` it takes out who has its name too, unless that one still answers. All are looked for by etcdctl: the id and
 * the address that the service knows of a member are those of its first life.
 */
export function joinSteps(node: NodeStart, members: readonly KnownMember[], replaces: boolean): Step[] {
  const { name = NAME_PLACEHOLDER } = node;
  const others = members.filter((member) => member.name !== name && !isAt(member, node));
  const guessed = others.slice(0, ENDPOINTS_ASKED).map((other) => guessClientUrl(node, other));
  const etcdctl = commandOf(node, shellWord(node.endpoints ?? guessed.join(',')));
  const peerUrl = peerUrlOf(node);
  const unstarted = `s/^\\([0-9a-f]*\\), unstarted, , ${literal(peerUrl)}, .*/\\1/p`;
  const named = `s/^\\([0-9a-f]*\\), started, ${literal(name)}, .*/\\1/p`;
  const filters = [...(replaces ? [named] : []), unstarted].map((each) => ` -e ${shellWord(each)}`);
  return [
    ...(replaces ? [stopIfItAnswers(node, name, etcdctl)] : []),
    `${etcdctl} member list | sed -n${filters.join('')} | xargs -r -n 1 ${etcdctl} member remove`,
    `${etcdctl} member add ${shellWord(name)} ${shellWord(`--peer-urls=${peerUrl}`)}`,
  ];
}

/** Fails when the member of that name runs: a second machine that was given its name takes no place. */
function stopIfItAnswers(node: NodeStart, name: string, etcdctl: string): Step {
  const itsUrl = shellWord(`s/^[0-9a-f]*, started, ${literal(name)}, [^ ]*, \\([^ ,]*\\).*/\\1/p`);
  const told = shellWord(`${name} still answers, and is not replaced: give this node a name of its own`);
  return `url=$(${etcdctl} member list | sed -n ${itsUrl}); if [ -n "$url" ] && ${commandOf(node, '"$url"')} endpoint health; then echo ${told} >&2; exit 1; fi`;
}

/** A text as a basic regular expression that is itself and nothing else. */
function literal(text: string): string {
  return text.replaceAll(/[\\/.*[\]^$]/g, '\\$&');
}

/** `endpoints` is a word of a shell. */
function commandOf({ certFile, keyFile, trustedCaFile }: NodeStart, endpoints: string): string {
  const files = { cacert: trustedCaFile, cert: certFile, key: keyFile };
  const given = Object.entries(files).flatMap(([flag, path]) =>
    path === undefined ? [] : [shellWord(`--${flag}=${path}`)],
  );
  return ['etcdctl', `--endpoints=${endpoints}`, ...given].join(' ');
}

/** Where a member most likely serves clients: the nodes of a cluster are alike. */
function guessClientUrl(node: NodeStart, { peerUrls: [url = ''] }: KnownMember): string {
  const host = url.replace(/^[a-z]+:\/\//i, '').replace(/:\d+$/, '');
  return `${clientSchemeOf(node)}://${host}:${node.clientPort ?? DEFAULT_CLIENT_PORT}`;
}
