import { PARAMETERS, type ParameterKey } from '../../etcd/start/parameters.ts';
import { h, type VElement } from './node.ts';

/** The parameters that are typed. Fields are named after their parameters. */
type Written = Exclude<ParameterKey, 'etcd' | 'data'>;

/** The label of each field, and an example. */
const FIELDS: Readonly<Record<Written, readonly [label: string, hint: string]>> = {
  name: ['Node name', 'NAME'],
  ip: ['IP address', 'ADDRESS'],
  host: ['DNS name, or other address for peers', 'ip'],
  listen: ['Listen address', 'ip'],
  clientPort: ['Client port', '2379'],
  peerPort: ['Peer port', '2380'],
  dataDir: ['Data directory', '/var/lib/etcd'],
  certFile: ['Client certificate file', 'FILE'],
  keyFile: ['Client key file', 'FILE'],
  trustedCaFile: ['Client CA file', 'FILE'],
  peerCertFile: ['Peer certificate file', 'FILE'],
  peerKeyFile: ['Peer key file', 'FILE'],
  peerTrustedCaFile: ['Peer CA file', 'FILE'],
  discoveryCacert: ['Discovery CA file', 'FILE'],
  endpoints: ['Client URLs of the running cluster', 'URLS'],
};

const MORE = (Object.keys(FIELDS) as Written[]).filter((key) => key !== 'name' && key !== 'ip');

/** Renders the fields that most nodes do not need. */
export function moreFields(wrong: ReadonlySet<ParameterKey>): VElement {
  return h(
    'details',
    { class: 'more' },
    h('summary', { class: 'more-title' }, 'Ports, directories, DNS names, certificates'),
    h(
      'div',
      { class: 'choices' },
      segmented(
        'data',
        'Existing data',
        [
          ['', 'Unknown'],
          ['kept', 'Kept'],
          ['lost', 'Lost'],
        ],
        '',
      ),
      ...MORE.map((key) => nodeField(key, wrong)),
    ),
  );
}

export function nodeField(key: Written, wrong: ReadonlySet<ParameterKey>): VElement {
  const { flag, takes } = PARAMETERS[key];
  const [label, hint] = FIELDS[key];
  const isWrong = wrong.has(key);
  return h(
    'label',
    { class: 'field' },
    h('span', {}, isWrong ? `${label}: must be ${takes.replaceAll('--', '')}` : label),
    h('input', {
      type: 'text',
      name: flag,
      placeholder: hint,
      'aria-invalid': isWrong ? 'true' : undefined,
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
    }),
  );
}

export function segmented(
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
