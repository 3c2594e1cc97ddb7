import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  type Message,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';

/**
 * Builds a request as decoded from the wire, from JSON with its fields by their names in TypeScript, and bytes as
 * text of one character per byte. A value that does not fit its field becomes one of the field's type.
 */
export function messageFrom(desc: DescMessage, json: unknown): Message {
  return fromBinary(desc, toBinary(desc, built(desc, json)));
}

function built(desc: DescMessage, json: unknown): Message {
  const message = create(desc) as Message & Record<string, unknown>;
  if (typeof json !== 'object' || json === null) return message;
  for (const field of desc.fields) {
    const given = (json as Record<string, unknown>)[field.localName];
    if (given === undefined) continue;
    const value = valueOf(field, given);
    if (field.oneof === undefined) message[field.localName] = value;
    else message[field.oneof.localName] = { case: field.localName, value };
  }
  return message;
}

function valueOf(field: DescField, given: unknown): unknown {
  switch (field.fieldKind) {
    case 'message':
      return built(field.message, given);
    case 'enum':
      return Number(given) | 0;
    case 'scalar':
      return scalar(field.scalar, given);
    case 'list':
      return (Array.isArray(given) ? given : [given]).map((each: unknown) => {
        if (field.listKind === 'message') return built(field.message, each);
        return field.listKind === 'enum' ? Number(each) | 0 : scalar(field.scalar, each);
      });
    case 'map':
      throw new TypeError('requests have no maps');
  }
}

function scalar(type: ScalarType, given: unknown): unknown {
  const text = typeof given === 'string' ? given : JSON.stringify(given);
  switch (type) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BYTES:
      return Buffer.from(text, 'latin1');
    case ScalarType.BOOL:
      return Boolean(given);
    case ScalarType.INT64:
      return BigInt.asIntN(64, whole(text));
    case ScalarType.UINT64:
      return BigInt.asUintN(64, whole(text));
    case ScalarType.UINT32:
      return Number(given) >>> 0;
    default:
      return Number(given) | 0;
  }
}

function whole(text: string): bigint {
  return /^-?\d{1,30}$/.test(text) ? BigInt(text) : 0n;
}
