import { answerFor, isRefusal } from '../../etcd/start/answer.ts';
import { answerText } from '../../etcd/start/answer-text.ts';
import { contradictionIn } from '../../etcd/start/check.ts';
import type { KnownCluster } from '../../etcd/start/member.ts';
import { ETCD_SERIES, type EtcdSeries, isUnfinished } from '../../etcd/start/node.ts';
import type { NodeParameters, ParameterKey } from '../../etcd/start/parameters.ts';
import { curlLine } from '../../etcd/start/query-text.ts';
import { START_FORMATS, type StartFormat } from '../../etcd/start/text.ts';
import { codeBlock } from './code.ts';
import { h, type VElement } from './node.ts';
import { sentence } from './refused.ts';
import { moreFields, nodeField, segmented } from './start-fields.ts';

/** Choice is what a reader has chosen. Missing values are shown as placeholders. */
export interface Choice {
  readonly format: StartFormat;
  readonly told: NodeParameters & { readonly etcd: EtcdSeries };
  /** The fields with invalid values. */
  readonly wrong: ReadonlySet<ParameterKey>;
}

export const FIRST_CHOICE: Choice = { format: 'flags', told: { etcd: '3.5' }, wrong: new Set() };

const FORMAT_NAMES: Readonly<Record<StartFormat, string>> = {
  flags: 'Flags',
  env: 'Environment',
  yaml: 'YAML',
  systemd: 'systemd',
  compose: 'Compose',
  kubernetes: 'Kubernetes',
};

export interface StartPlace {
  readonly serviceUrl: string;
  readonly token: string;
  /** Undefined: the token no longer works, so nothing can be started. */
  readonly cluster: KnownCluster | undefined;
}

/**
 * Renders how to start a node. With a choice the reader can change it; without one (no script), only the
 * flags of the next node are shown.
 */
export function startSection(place: StartPlace, choice: Choice | undefined): VElement {
  const { cluster = { complete: true, size: 0, members: [] } } = place;
  const isOver = place.cluster === undefined || (cluster.complete && choice === undefined);
  const title = cluster.complete ? 'Start again, replace or add a node' : 'Start the next node';
  return h(
    'section',
    { id: 'start', 'aria-labelledby': 'start-title', hidden: isOver },
    h('h2', { id: 'start-title' }, title),
    choice === undefined ? plain(place, cluster) : chooser(place, cluster, choice),
  );
}

/** The lines, or why there are none. */
type Lines = { readonly text: string } | { readonly problem: string; readonly look: 'note' | 'problem' };

function linesFor({ serviceUrl, token }: StartPlace, cluster: KnownCluster, { told, format }: Choice): Lines {
  const { data, ...node } = told;
  const wrong = contradictionIn(node, format);
  if (wrong !== undefined) return { problem: `${wrong}.`, look: 'problem' };
  const answer = answerFor({ ...node, serviceUrl, token }, cluster, data);
  if (isRefusal(answer)) {
    const problem = `${answer.message}: ${answer.next}.`;
    // A reader who has not filled in the fields yet has made no mistake.
    return answer.reason === 'INCOMPLETE'
      ? { problem: sentence(problem), look: 'note' }
      : { problem, look: 'problem' };
  }
  return { text: answerText(answer, format) };
}

function plain(place: StartPlace, cluster: KnownCluster): VElement {
  const block = (etcd: EtcdSeries, title: string): readonly VElement[] => {
    const lines = linesFor(place, cluster, { ...FIRST_CHOICE, told: { etcd } });
    const text = 'text' in lines ? lines.text : '';
    return [h('h3', {}, title), codeBlock(`start-${etcd.replace('.', '-')}`, title, text, false)];
  };
  return h('div', {}, ...block('3.5', 'etcd 3.4, 3.5 and 3.6'), ...block('3.7', 'etcd 3.6 and 3.7'));
}

function chooser(place: StartPlace, cluster: KnownCluster, choice: Choice): VElement {
  const { format, told, wrong } = choice;
  const { etcd } = told;
  const lines = linesFor(place, cluster, choice);
  const { problem, look } = 'problem' in lines ? lines : { problem: '', look: 'problem' };
  const text = 'text' in lines ? lines.text : '';
  return h(
    'form',
    { id: 'chooser', class: 'chooser' },
    h(
      'div',
      { class: 'choices' },
      segmented(
        'etcd',
        'etcd version',
        ETCD_SERIES.map((series) => [series, series]),
        etcd,
      ),
      segmented(
        'format',
        'Format',
        START_FORMATS.map((each) => [each, FORMAT_NAMES[each]]),
        format,
      ),
      nodeField('name', wrong),
      nodeField('ip', wrong),
      h(
        'label',
        { class: 'check', hidden: etcd !== '3.6' },
        h('input', { type: 'checkbox', name: 'mixed' }),
        'The cluster also has 3.4 or 3.5 nodes',
      ),
    ),
    moreFields(wrong),
    h(
      'p',
      { class: 'note', hidden: !isUnfinished(text) },
      'Replace placeholders like <IP> before you run these lines, or fill in the fields.',
    ),
    h('p', { class: look, role: 'status', hidden: problem === '' }, problem),
    h(
      'div',
      { hidden: problem !== '' },
      codeBlock('start-text', `for etcd ${etcd}, as ${FORMAT_NAMES[format]}`, text, true),
      h('p', { class: 'note' }, 'For a boot script that runs at every start of the node:'),
      codeBlock('start-curl', 'the curl command', curlLine(place, told, format), true),
    ),
  );
}
