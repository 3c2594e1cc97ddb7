import { isAt, type KnownMember } from './member.ts';
import { clientSchemeOf, DEFAULT_CLIENT_PORT, NAME_PLACEHOLDER, type NodeStart, peerUrlOf } from './node.ts';
import { shellWord } from './shell-word.ts';

/** A line for `sh`. To run it again does no harm. */
export type Step = string;

/** How many are asked: etcdctl goes on to the next when one does not answer. */
const ENDPOINTS_ASKED = 5;

/**
 * Adds the node to the running cluster, and takes out first who has its name (to `replace` it), or was added at its
 * address and has never started. They are looked for by etcdctl: the id that the service knows of a member is that of
 * its first life.
 */
export function joinSteps(node: NodeStart, members: readonly KnownMember[], replaces: boolean): Step[] {
  const { name = NAME_PLACEHOLDER } = node;
  const others = members.filter((member) => member.name !== name && !isAt(member, node));
  const etcdctl = commandOf(node, others);
  const peerUrl = peerUrlOf(node);
  const unstarted = `s/^\\([0-9a-f]*\\), unstarted, , ${literal(peerUrl)}, .*/\\1/p`;
  const named = `s/^\\([0-9a-f]*\\), started, ${literal(name)}, .*/\\1/p`;
  const filters = [...(replaces ? [named] : []), unstarted].map((each) => ` -e ${shellWord(each)}`);
  return [
    `${etcdctl} member list | sed -n${filters.join('')} | xargs -r -n 1 ${etcdctl} member remove`,
    `${etcdctl} member add ${shellWord(name)} ${shellWord(`--peer-urls=${peerUrl}`)}`,
  ];
}

/** A text as a basic regular expression that is itself and nothing else. */
function literal(text: string): string {
  return text.replaceAll(/[\\/.*[\]^$]/g, '\\$&');
}

function commandOf(node: NodeStart, others: readonly KnownMember[]): string {
  const { certFile, keyFile, trustedCaFile } = node;
  const guessed = others.slice(0, ENDPOINTS_ASKED).map((other) => guessClientUrl(node, other));
  const files = { cacert: trustedCaFile, cert: certFile, key: keyFile };
  const given = Object.entries(files).flatMap(([flag, path]) =>
    path === undefined ? [] : [`--${flag}=${path}`],
  );
  const words = ['etcdctl', `--endpoints=${node.endpoints ?? guessed.join(',')}`, ...given];
  return words.map(shellWord).join(' ');
}

/** Where a member most likely serves clients: the nodes of a cluster are alike. */
function guessClientUrl(node: NodeStart, { peerUrls: [url = ''] }: KnownMember): string {
  const host = url.replace(/^[a-z]+:\/\//i, '').replace(/:\d+$/, '');
  return `${clientSchemeOf(node)}://${host}:${node.clientPort ?? DEFAULT_CLIENT_PORT}`;
}
