/** The part of JSON Schema that the OpenAPI document uses. Any other keyword is an error, so that none is ignored. */
export interface Schema {
  readonly [word: string]: unknown;
}

type Schemas = Readonly<Record<string, Schema>>;
type Check = (value: unknown, argument: never, schema: Schema, schemas: Schemas) => string[];

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => Number.isInteger(value),
  array: (value) => Array.isArray(value),
  object: isObject,
};

const FORMATS: Readonly<Record<string, (value: string) => boolean>> = {
  'date-time': (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value),
  uint64: (value) => /^\d+$/.test(value) && BigInt(value) < 2n ** 64n,
};

const CHECKS: Readonly<Record<string, Check>> = {
  description: () => [],
  type: (value, type: string) => problem(TYPES[type]?.(value) === true, `is not of type ${type}`),
  enum: (value, names: unknown[]) => problem(names.includes(value), 'is not in its enum'),
  minimum: (value, least: number) => problem((value as number) >= least, 'is too small'),
  maximum: (value, most: number) => problem((value as number) <= most, 'is too large'),
  pattern: (value, source: string) =>
    problem(new RegExp(source).test(String(value)), `is not like ${source}`),
  format: (value, name: string) => problem(FORMATS[name]?.(String(value)) === true, `is not a valid ${name}`),
  items: (value, item: Schema, _, schemas) =>
    Array.isArray(value) ? value.flatMap((each) => misfits(each, item, schemas)) : [],
  required: (value, names: string[]) =>
    names.filter((name) => !isObject(value) || !(name in value)).map((name) => `lacks ${name}`),
  properties: (value, properties: Schemas, _, schemas) =>
    entries(value).flatMap(([name, each]) =>
      misfits(each, properties[name] ?? {}, schemas).map((text) => `${name}: ${text}`),
    ),
  additionalProperties: (value, _: false, { properties }) =>
    entries(value).flatMap(([name]) =>
      name in (properties as Schemas) ? [] : [`has ${name}, which is not allowed`],
    ),
  allOf: (value, all: Schema[], _, schemas) => all.flatMap((each) => misfits(value, each, schemas)),
  anyOf: (value, any: Schema[], _, schemas) => problem(fitting(value, any, schemas) > 0, 'matches no schema'),
  oneOf: (value, any: Schema[], _, schemas) =>
    problem(fitting(value, any, schemas) === 1, 'does not match exactly one schema'),
  not: (value, no: Schema, _, schemas) =>
    problem(misfits(value, no, schemas).length > 0, 'matches what it must not'),
  $ref: (value, path: string, _, schemas) =>
    misfits(value, schemas[path.split('/').at(-1) ?? ''] ?? { [path]: 'is not defined' }, schemas),
};

/** Returns why a value does not match a schema, or nothing if it does. */
export function misfits(value: unknown, schema: Schema, schemas: Schemas): string[] {
  return Object.entries(schema).flatMap(([word, argument]) => {
    const check = CHECKS[word];
    if (check === undefined) throw new Error(`no check for the keyword ${word}`);
    return check(value, argument as never, schema, schemas);
  });
}

function fitting(value: unknown, schemas: readonly Schema[], all: Schemas): number {
  return schemas.filter((each) => misfits(value, each, all).length === 0).length;
}

function problem(good: boolean, text: string): string[] {
  return good ? [] : [text];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function entries(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}
