import type { Random } from '../store/support/random.ts';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const VALUES: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  1e21,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  '',
  'a',
  [],
  {},
  [[]],
  [null],
];

/** Changes values, fields or elements of a JSON text. Returns other text unchanged. */
export function mutatedJson(text: string, random: Random, words: readonly string[]): string {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return text;
  }
  // Existing strings are reused: for example the same name twice, or one key in place of another.
  const own = [...text.matchAll(/"([^"\\]*)"/g)].map(([, inner = '']) => inner);
  const all = [
    ...words,
    ...Array.from({ length: words.length }, () => random.pick(own.length > 0 ? own : words)),
  ];
  do value = changed(value, random, all);
  while (random.chance(0.4));
  return JSON.stringify(value);
}

function changed(value: Json, random: Random, words: readonly string[]): Json {
  const isHere = typeof value !== 'object' || value === null || random.chance(0.15);
  if (isHere) return random.chance(0.6) ? random.pick(words) : random.pick(VALUES);
  const entries: Array<[string | number, Json]> = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  if (entries.length === 0) return random.pick(VALUES);
  const [key, inner] = random.pick(entries);
  if (Array.isArray(value)) {
    const list = [...value];
    const at = Number(key);
    const dice = random.next();
    if (dice < 0.15) list.splice(at, 1);
    else if (dice < 0.3) list.push(inner);
    else list[at] = changed(inner, random, words);
    return list;
  }
  const object = { ...value };
  if (random.chance(0.15)) delete object[key];
  else if (random.chance(0.1)) object[random.pick(words)] = inner;
  else object[key] = changed(inner, random, words);
  return object;
}
