import { PARAMETERS, type ParameterKey } from '../../etcd/start/parameters.ts';
import { h, type VElement } from './node.ts';

/** Those that are written. The names of the fields are those of the parameters. */
type Written = Exclude<ParameterKey, 'etcd' | 'data'>;

/** What each asks for, and what could be written. */
const FIELDS: Readonly<Record<Written, readonly [label: string, hint: string]>> = {
  name: ['Name of the node', 'NAME'],
  ip: ['Its IP address', 'ADDRESS'],
  host: ['DNS name, or another address for others', 'ip'],
  listen: ['Address to listen on', 'ip'],
  clientPort: ['Port for clients', '2379'],
  peerPort: ['Port for the other nodes', '2380'],
  dataDir: ['Data directory', '/var/lib/etcd'],
  certFile: ['Certificate for clients', 'FILE'],
  keyFile: ['Key for clients', 'FILE'],
  trustedCaFile: ["CA of clients' certificates", 'FILE'],
  peerCertFile: ['Certificate for the other nodes', 'FILE'],
  peerKeyFile: ['Key for the other nodes', 'FILE'],
  peerTrustedCaFile: ["CA of all nodes' certificates", 'FILE'],
  discoveryCacert: ['CA of this service', 'FILE'],
  endpoints: ['Client URLs of the running cluster', 'URLS'],
};

const MORE = (Object.keys(FIELDS) as Written[]).filter((key) => key !== 'name' && key !== 'ip');

/** What most nodes need not say. */
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
        'Data of an earlier start',
        [
          ['', 'Not known'],
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
    h('span', {}, isWrong ? `${label}: not ${takes.replaceAll('--', '')}` : label),
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
