import { listOf } from '../../values/list.ts';
import { contradictionIn } from './check.ts';
import {
  MIXED,
  type NodeParameters,
  PARAMETER_KEYS,
  PARAMETERS,
  type ParameterKey,
  parseParameter,
} from './parameters.ts';
import { START_FORMATS, type StartFormat } from './text.ts';

/** AnswerFormat is the format of the response: one of the text formats, or JSON. */
export type AnswerFormat = StartFormat | 'json';

export const ANSWER_FORMATS: readonly AnswerFormat[] = [...START_FORMATS, 'json'];

export type ReadQuery =
  | { readonly type: 'ASKED'; readonly told: Complete; readonly format: AnswerFormat }
  /** The mistake, and what to write instead. */
  | { readonly type: 'WRONG'; readonly problem: string; readonly format: AnswerFormat };

/** Complete has every value that would otherwise be a placeholder. */
export type Complete = NodeParameters &
  Required<Pick<NodeParameters, 'etcd' | 'name'>> & { readonly etcd: NonNullable<NodeParameters['etcd']> };

const KEYS = new Map<string, ParameterKey>(PARAMETER_KEYS.map((key) => [PARAMETERS[key].flag, key]));
const NAMES = [...KEYS.keys(), MIXED.flag, 'format'];

/** Parses the query that describes a node. The shortest is `etcd=3.7&name=infra1&ip=10.0.0.1&format=env`. */
export function readQuery(query: string): ReadQuery {
  const pairs = [...new URLSearchParams(query)];
  const format = ANSWER_FORMATS.find((each) =>
    pairs.some(([name, text]) => name === 'format' && text === each),
  );
  const wrong = (problem: string): ReadQuery => ({ type: 'WRONG', problem, format: format ?? 'flags' });
  if (/%(?![0-9A-Fa-f]{2})/.test(query)) return wrong('a % in the query must be percent-encoded: write %25');
  const told: Record<string, string | number | boolean> = {};
  const seen = new Set<string>();
  for (const [name, text] of pairs) {
    if (seen.has(name)) return wrong(`${shown(name)} appears twice`);
    seen.add(name);
    const problem = name === 'format' ? wrongFormat(format) : readInto(told, name, text);
    if (problem !== undefined) return wrong(problem);
  }
  const node = told as NodeParameters;
  const missing = missingIn(node);
  if (missing.length > 0)
    return wrong(`${listOf(missing, 'and')} ${missing.length === 1 ? 'is' : 'are'} missing`);
  const problem = contradictionIn(node as Complete, format === 'json' ? 'flags' : (format ?? 'flags'));
  if (problem !== undefined) return wrong(problem);
  return { type: 'ASKED', told: node as Complete, format: format ?? 'flags' };
}

function wrongFormat(format: AnswerFormat | undefined): string | undefined {
  return format === undefined ? `format must be ${listOf(ANSWER_FORMATS, 'or')}` : undefined;
}

/** Reads one parameter. Returns what is wrong with it, if anything. */
function readInto(
  told: Record<string, string | number | boolean>,
  name: string,
  text: string,
): string | undefined {
  if (name === MIXED.flag) {
    told['mixed'] = text === '' || text === 'true' || text === '1';
    return told['mixed'] || text === 'false' || text === '0' ? undefined : 'mixed must be true or false';
  }
  const key = KEYS.get(name);
  if (key === undefined) return `unknown parameter ${shown(name)}; the parameters are ${NAMES.join(', ')}`;
  if (text === '') return `${name} is empty`;
  const read = parseParameter(key, text);
  if ('problem' in read) return `${name} ${shown(text)}: ${read.problem}`;
  told[key] = read.value;
  return undefined;
}

function missingIn({ etcd, name, ip, host }: NodeParameters): string[] {
  return [
    ...(etcd === undefined ? ['etcd'] : []),
    ...(name === undefined ? ['name'] : []),
    ...(ip === undefined && host === undefined ? ['ip (or host)'] : []),
  ];
}

/** Quotes external text for a message: bounded, on one line, and without terminal control characters. */
function shown(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}...` : text;
  return `'${short.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufffd]/gu, '?')}'`;
}
