import type { Answer } from './answer.ts';
import { DEFAULT_DATA_DIR } from './node.ts';
import { type StartFormat, startText } from './text.ts';

/**
 * An answer as a text to paste or to write to a file. What is to be run before the start stands above it, in comment
 * lines that begin with `#$ `.
 */
export function answerText(answer: Answer, format: StartFormat): string {
  const lines = headOf(answer).map((line) => `# ${line}\n`.replace('# #$ ', '#$ '));
  return `${lines.join('')}${startText(answer.node, format)}`;
}

function headOf({ action, summary, steps, node, ifLost }: Answer): string[] {
  if (action === 'start') return [];
  const { dataDir = DEFAULT_DATA_DIR } = node;
  if (action === 'restart-with-data') {
    const again = ifLost === undefined ? [] : lostLines(ifLost, dataDir);
    return [`${action}: ${summary}.`, ...again];
  }
  return [
    `${action}: ${summary}.`,
    'Run first, where etcdctl reaches a member:',
    ...steps.map((step) => `#$ ${step}`),
    `Then start it, with nothing in ${dataDir}. If members came or went since the cluster formed, set`,
    'initial-cluster to the ETCD_INITIAL_CLUSTER that "member add" prints.',
  ];
}

function lostLines({ steps, initialCluster }: NonNullable<Answer['ifLost']>, dataDir: string): string[] {
  return [
    'If its data is lost, replace it: run where etcdctl reaches a member,',
    ...steps.map((step) => `  ${step}`),
    `then start it, with nothing in ${dataDir}, with these settings in place of discovery (data=lost has the whole text):`,
    `  initial-cluster=${initialCluster}`,
    '  initial-cluster-state=existing',
  ];
}
