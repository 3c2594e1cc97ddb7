// Converts the JSON form of protobuf messages to JSON Schema: https://protobuf.dev/programming-guides/json/

import { ScalarType } from '@bufbuild/protobuf';
import { fail } from './root.mjs';

const SCALARS = {
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.UINT32]: { type: 'integer', minimum: 0, maximum: 2 ** 32 - 1 },
  [ScalarType.UINT64]: { type: 'string', format: 'uint64', pattern: '^[0-9]{1,20}$' },
};
const KNOWN = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  // Seconds, with an optional fraction.
  'google.protobuf.Duration': { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]{1,9})?s$' },
};

export function refTo(name) {
  return { $ref: `#/components/schemas/${name}` };
}

/** Returns the schema of a message. `describe` returns the description of a field by its index. */
export function jsonSchema(message, describe) {
  const properties = message.fields.map((field, i) => [
    field.jsonName,
    { ...fieldSchema(field), description: describe(i) },
  ]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    // Unknown fields are rejected in a request; a response may contain new ones.
    ...(message.name.endsWith('Request') ? { additionalProperties: false } : {}),
    ...(message.oneofs.length > 0 ? { allOf: message.oneofs.map(oneOf) } : {}),
  };
}

/** Returns a schema that allows at most one of the fields. */
function oneOf({ fields }) {
  const each = fields.map(({ jsonName }) => ({ required: [jsonName] }));
  return { oneOf: [...each, { not: { anyOf: each } }] };
}

function fieldSchema(field) {
  switch (field.fieldKind) {
    case 'list':
      return { type: 'array', items: typeSchema(field, field.listKind) };
    case 'map':
      return fail(`${field}: maps have no schema yet`);
    default:
      return typeSchema(field, field.fieldKind);
  }
}

function typeSchema(field, kind) {
  if (kind === 'scalar')
    return SCALARS[field.scalar] ?? fail(`${field}: src/dev/json-schema.mjs does not know its type`);
  if (kind === 'enum') return refTo(field.enum.name);
  return KNOWN[field.message.typeName] ?? refTo(field.message.name);
}
