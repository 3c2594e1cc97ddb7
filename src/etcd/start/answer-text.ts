import type { StartAnswer } from './answer.ts';
import { DEFAULT_DATA_DIR } from './node.ts';
import { type StartFormat, startText } from './text.ts';

/**
 * Formats an answer as text to paste or to write to a file. Commands to run before the start precede it, as
 * comment lines that begin with `#$ `.
 */
export function answerText(answer: StartAnswer, format: StartFormat): string {
  const lines = headOf(answer).map((line) => `# ${line}\n`.replace('# #$ ', '#$ '));
  return `${lines.join('')}${startText(answer.node, format)}`;
}

function headOf({ action, summary, steps, node, ifLost }: StartAnswer): string[] {
  if (action === 'start') return [];
  const { dataDir = DEFAULT_DATA_DIR } = node;
  if (action === 'restart-with-data') {
    const again = ifLost === undefined ? [] : lostLines(ifLost, dataDir);
    return [`${action}: ${summary}.`, ...again];
  }
  return [
    `${action}: ${summary}.`,
    'First run this on a machine where etcdctl can reach a member:',
    ...steps.map((step) => `#$ ${step}`),
    `Then start the node with ${dataDir} empty. If members were added or removed since the cluster was complete, set`,
    'initial-cluster to the ETCD_INITIAL_CLUSTER that "member add" prints.',
  ];
}

function lostLines({ steps, initialCluster }: NonNullable<StartAnswer['ifLost']>, dataDir: string): string[] {
  return [
    'If its data is lost, replace the member. On a machine where etcdctl can reach a member, run:',
    ...steps.map((step) => `  ${step}`),
    `Then start the node with ${dataDir} empty and these settings in place of discovery (data=lost, or --data lost, prints them in full):`,
    `  initial-cluster=${initialCluster}`,
    '  initial-cluster-state=existing',
  ];
}
