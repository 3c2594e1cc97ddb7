import { ETCD_SERIES, parseNodeIp } from '../../etcd/start/node.ts';
import { START_FORMATS } from '../../etcd/start/text.ts';
import { type Choice, FIRST_CHOICE } from '../view/start.ts';

/** Reads what the reader has chosen; what is empty or no address is left to the example. */
export function readChoice(root: Element): Choice {
  const form = root.querySelector<HTMLFormElement>('form#chooser');
  if (form === null) return FIRST_CHOICE;
  const data = new FormData(form);
  const text = (name: string): string => {
    const value = data.get(name);
    return typeof value === 'string' ? value.trim() : '';
  };
  return {
    etcd: ETCD_SERIES.find((each) => each === text('etcd')) ?? FIRST_CHOICE.etcd,
    format: START_FORMATS.find((each) => each === text('format')) ?? FIRST_CHOICE.format,
    mixed: text('mixed') !== '',
    name: text('name') || undefined,
    ip: parseNodeIp(text('ip')),
    wrongIp: text('ip') !== '' && parseNodeIp(text('ip')) === undefined,
  };
}
