import type { KnownMember } from './member.ts';
import { clientSchemeOf, DEFAULT_CLIENT_PORT, NAME_PLACEHOLDER, type NodeStart, peerUrlOf } from './node.ts';
import { shellWord } from './shell-word.ts';

/** A command, word by word. */
export type Step = readonly string[];

/** Stands for an id that only etcd knows; etcdctl takes it for none. */
export const ID_PLACEHOLDER = '<MEMBER ID>';

/** An id of etcd: others are of members that registered by hand, which etcd knows by ids of its own. */
const OF_ETCD = /^[0-9a-f]{10,16}$/;

/** How many are asked: etcdctl goes on to the next when one does not answer. */
const MOST_ENDPOINTS = 5;

/** Takes a member out of the running cluster. `others` are those that are asked to. */
export function removeStep(node: NodeStart, member: KnownMember, others: readonly KnownMember[]): Step {
  const id = OF_ETCD.test(member.id) ? member.id : ID_PLACEHOLDER;
  return [...etcdctl(node, others), 'member', 'remove', id];
}

/** Adds the node to the running cluster. */
export function addStep(node: NodeStart, others: readonly KnownMember[]): Step {
  const { name = NAME_PLACEHOLDER } = node;
  return [...etcdctl(node, others), 'member', 'add', name, `--peer-urls=${peerUrlOf(node)}`];
}

/** A step as a line for a shell, which does not run it while something is missing. */
export function stepLine(step: Step): string {
  return step.map((word) => (word === ID_PLACEHOLDER ? word : shellWord(word))).join(' ');
}

function etcdctl(node: NodeStart, others: readonly KnownMember[]): string[] {
  const { certFile, keyFile, trustedCaFile } = node;
  const guessed = others.slice(0, MOST_ENDPOINTS).map((other) => guessClientUrl(node, other));
  const files = { cacert: trustedCaFile, cert: certFile, key: keyFile };
  const given = Object.entries(files).flatMap(([flag, path]) =>
    path === undefined ? [] : [`--${flag}=${path}`],
  );
  return ['etcdctl', `--endpoints=${node.endpoints ?? guessed.join(',')}`, ...given];
}

/** Where a member most likely serves clients: the nodes of a cluster are alike. */
function guessClientUrl(node: NodeStart, { peerUrls: [url = ''] }: KnownMember): string {
  const host = url.replace(/^[a-z]+:\/\//i, '').replace(/:\d+$/, '');
  return `${clientSchemeOf(node)}://${host}:${node.clientPort ?? DEFAULT_CLIENT_PORT}`;
}
