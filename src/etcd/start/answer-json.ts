import type { StartAnswer } from './answer.ts';
import type { KnownCluster } from './member.ts';
import { clientSchemeOf, DEFAULT_CLIENT_PORT, hostOf, type NodeStart, peerUrlOf, urlAt } from './node.ts';
import { allSettings, environment } from './settings.ts';

/** Formats an answer for programs. Its names are stable; new ones may be added. */
export function answerJson(answer: StartAnswer, { complete, size, members }: KnownCluster): object {
  const { action, summary, steps, node } = answer;
  return {
    action,
    summary,
    cluster: {
      state: complete ? 'COMPLETE' : 'ASSEMBLING',
      size,
      members: members.map(({ id, name, peerUrls }) => ({ id, name, peerUrls: [...peerUrls] })),
    },
    node: { name: node.name, peerUrl: peerUrlOf(node), clientUrl: clientUrlOf(node) },
    steps,
    start: {
      flags: Object.fromEntries(allSettings(node)),
      environment: Object.fromEntries(environment(node)),
    },
    initialCluster: node.existing ?? '',
  };
}

/** Formats a rejection for programs. */
export function refusalJson(reason: string, message: string, next = ''): object {
  return { error: { reason, message, next } };
}

function clientUrlOf(node: NodeStart): string {
  return urlAt(clientSchemeOf(node), hostOf(node), node.clientPort ?? DEFAULT_CLIENT_PORT);
}
