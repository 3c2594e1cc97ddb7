import { isAt, type KnownMember } from './member.ts';
import { clientSchemeOf, DEFAULT_CLIENT_PORT, NAME_PLACEHOLDER, type NodeStart, peerUrlOf } from './node.ts';
import { shellWord } from './shell-word.ts';

/** ShellStep is a command for `sh` that is safe to repeat. */
export type ShellStep = string;

/** The number of endpoints to ask: etcdctl tries the next if one does not answer. */
const ENDPOINTS_ASKED = 5;

/**
 * Returns the commands that add the node to the running cluster. They first remove a member that was added at
 * its address but never started. With `replace` they also remove the member that has its name, unless that
 * one is running. etcdctl looks up all of them, because the service only knows the ID and the address of a
 * member's first life.
 */
export function joinSteps(node: NodeStart, members: readonly KnownMember[], replaces: boolean): ShellStep[] {
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

/**
 * Returns a command that fails if the member of that name is running, so that a second machine with the same
 * name cannot replace it.
 */
function stopIfItAnswers(node: NodeStart, name: string, etcdctl: string): ShellStep {
  const itsUrl = shellWord(`s/^[0-9a-f]*, started, ${literal(name)}, [^ ]*, \\([^ ,]*\\).*/\\1/p`);
  const told = shellWord(`${name} is still running and was not replaced: give this node another name`);
  return `url=$(${etcdctl} member list | sed -n ${itsUrl}); if [ -n "$url" ] && ${commandOf(node, '"$url"')} endpoint health; then echo ${told} >&2; exit 1; fi`;
}

/** Escapes a text as a basic regular expression. */
function literal(text: string): string {
  return text.replaceAll(/[\\/.*[\]^$]/g, '\\$&');
}

/** Returns the etcdctl command. `endpoints` is a shell word. */
function commandOf({ certFile, keyFile, trustedCaFile }: NodeStart, endpoints: string): string {
  const files = { cacert: trustedCaFile, cert: certFile, key: keyFile };
  const given = Object.entries(files).flatMap(([flag, path]) =>
    path === undefined ? [] : [shellWord(`--${flag}=${path}`)],
  );
  return ['etcdctl', `--endpoints=${endpoints}`, ...given].join(' ');
}

/** Guesses where a member serves clients: the nodes of a cluster are usually alike. */
function guessClientUrl(node: NodeStart, { peerUrls: [url = ''] }: KnownMember): string {
  const host = url.replace(/^[a-z]+:\/\//i, '').replace(/:\d+$/, '');
  return `${clientSchemeOf(node)}://${host}:${node.clientPort ?? DEFAULT_CLIENT_PORT}`;
}
