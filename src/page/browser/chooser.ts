import { ETCD_SERIES } from '../../etcd/start/node.ts';
import {
  MIXED,
  PARAMETER_KEYS,
  PARAMETERS,
  type ParameterKey,
  parseParameter,
} from '../../etcd/start/parameters.ts';
import { START_FORMATS } from '../../etcd/start/text.ts';
import { type Choice, FIRST_CHOICE } from '../view/start.ts';

/** Reads the reader's choices. Empty and invalid fields are left to a placeholder or a default. */
export function readChoice(root: Element): Choice {
  const form = root.querySelector<HTMLFormElement>('form#chooser');
  if (form === null) return FIRST_CHOICE;
  const data = new FormData(form);
  const text = (name: string): string => {
    const value = data.get(name);
    return typeof value === 'string' ? value.trim() : '';
  };
  const told: Record<string, string | number> = {};
  const wrong = new Set<ParameterKey>();
  for (const key of PARAMETER_KEYS) {
    const written = text(PARAMETERS[key].flag);
    if (written === '') continue;
    const read = parseParameter(key, written);
    if ('value' in read) told[key] = read.value;
    else wrong.add(key);
  }
  return {
    format: START_FORMATS.find((each) => each === text('format')) ?? FIRST_CHOICE.format,
    told: {
      ...told,
      etcd: ETCD_SERIES.find((each) => each === told['etcd']) ?? FIRST_CHOICE.told.etcd,
      mixed: text(MIXED.flag) !== '',
    },
    wrong,
  };
}
