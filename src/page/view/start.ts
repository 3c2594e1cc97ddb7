import { ETCD_SERIES, type EtcdSeries, type NodeStart } from '../../etcd/start/node.ts';
import { START_FORMATS, type StartFormat, startText } from '../../etcd/start/text.ts';
import { codeBlock } from './code.ts';
import { h, type VElement } from './node.ts';

/** What a reader chose to be shown. A name or an address that is undefined is an example. */
export interface Choice {
  readonly etcd: EtcdSeries;
  readonly format: StartFormat;
  readonly mixed: boolean;
  readonly name?: string | undefined;
  readonly ip?: string | undefined;
  /** Whether what was written as the address is none. */
  readonly wrongIp?: boolean;
}

export const FIRST_CHOICE: Choice = { etcd: '3.5', format: 'flags', mixed: false };

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
  /** Of those who have registered, standbys included. */
  readonly names: readonly string[];
  /** Whether there is a next node to start. */
  readonly room: boolean;
}

/** How to start the next node. With a choice the reader can change it; without (no script) the flags only. */
export function startSection(place: StartPlace, choice: Choice | undefined): VElement {
  return h(
    'section',
    { id: 'start', 'aria-labelledby': 'start-title', hidden: !place.room },
    h('h2', { id: 'start-title' }, 'Start the next node'),
    choice === undefined ? plain(place) : chooser(place, choice),
  );
}

/** A name that is not taken. */
function exampleName({ names }: StartPlace): string {
  let number = names.length + 1;
  while (names.includes(`infra${number}`)) number += 1;
  return `infra${number}`;
}

function textFor(place: StartPlace, { etcd, format, mixed, name, ip }: Choice): string {
  const { serviceUrl, token } = place;
  const node: NodeStart = {
    etcd,
    serviceUrl,
    token,
    mixed,
    name: name ?? exampleName(place),
    ip: ip ?? '10.0.0.1',
  };
  return startText(node, format);
}

function plain(place: StartPlace): VElement {
  const block = (etcd: EtcdSeries, title: string): readonly VElement[] => [
    h('h3', {}, title),
    codeBlock(`start-${etcd.replace('.', '-')}`, title, textFor(place, { ...FIRST_CHOICE, etcd }), false),
  ];
  return h('div', {}, ...block('3.5', 'etcd 3.4, 3.5 and 3.6'), ...block('3.7', 'etcd 3.6 and 3.7'));
}

function chooser(place: StartPlace, choice: Choice): VElement {
  const { etcd, format, wrongIp = false } = choice;
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
      field('name', 'Name of the node', exampleName(place)),
      field('ip', wrongIp ? 'Its IP address: this is none' : 'Its IP address', '10.0.0.1', wrongIp),
      h(
        'label',
        { class: 'check', hidden: etcd !== '3.6' },
        h('input', { type: 'checkbox', name: 'mixed' }),
        'The cluster has 3.4 or 3.5 nodes too',
      ),
    ),
    h('p', { class: 'note' }, 'Where nothing is written, the lines have an example.'),
    codeBlock('start-text', `for etcd ${etcd}, as ${FORMAT_NAMES[format]}`, textFor(place, choice), true),
  );
}

function segmented(
  name: string,
  legend: string,
  options: ReadonlyArray<readonly [value: string, label: string]>,
  chosen: string,
): VElement {
  return h(
    'fieldset',
    { class: 'segmented' },
    h('legend', {}, legend),
    h(
      'div',
      {},
      ...options.map(([value, label]) =>
        h(
          'label',
          {},
          h('input', { type: 'radio', name, value, checked: value === chosen }),
          h('span', {}, label),
        ),
      ),
    ),
  );
}

function field(name: string, label: string, example: string, wrong = false): VElement {
  return h(
    'label',
    { class: 'field' },
    h('span', {}, label),
    h('input', {
      type: 'text',
      name,
      placeholder: example,
      'aria-invalid': wrong ? 'true' : undefined,
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
    }),
  );
}
