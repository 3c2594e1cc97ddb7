import { ENUMS, type Field, type Kind, MESSAGES } from './tables.ts';
import { durationText, type Parts, parseDuration, parseTime, timeText } from './time.ts';

// Messages to protobuf's JSON and back, by the tables of the API. The messages are those of the generated schema.

type Fields = Readonly<Record<string, unknown>>;

/**
 * Converts a message to protobuf's JSON, including zeros, empty texts and empty lists, so that no field is missing
 * because of its value. Only absent fields are omitted: a time that is unset, what a request leaves to the service.
 */
export function toJson(type: string, message: object): Record<string, unknown> {
  const given = message as Fields;
  const json: Record<string, unknown> = {};
  for (const field of fieldsOf(type)) {
    const [name, , presence] = field;
    const value = given[name];
    if (value === undefined) continue;
    json[name] =
      presence === 'list' ? (value as unknown[]).map((each) => written(field, each)) : written(field, value);
  }
  return json;
}

/** The same for a message that knows its type. */
export function apiJson(message: { readonly $typeName: string }): Record<string, unknown> {
  return toJson(message.$typeName, message);
}

function written([, kind, , type = '']: Field, value: unknown): unknown {
  switch (kind) {
    case 'bigint':
      return String(value);
    case 'time':
      return timeText(value as Parts);
    case 'duration':
      return durationText(value as Parts);
    case 'enum':
      // A value that is newer than this program stays a number.
      return Object.entries(ENUMS[type] ?? {}).find(([, number]) => number === value)?.[0] ?? value;
    case 'message':
      return toJson(type, value as object);
    default:
      return value;
  }
}

/** Reads a message. Ignores what is newer than this program. Throws an Error for what is not such a message. */
export function fromJson(type: string, json: unknown): object {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw unexpected(type, json);
  const given = json as Fields;
  const message: Record<string, unknown> = { $typeName: type };
  for (const field of fieldsOf(type)) {
    const [name, kind, presence] = field;
    const value = given[name] ?? undefined;
    if (presence === 'list') {
      if (value !== undefined && !Array.isArray(value)) throw unexpected(name, value);
      message[name] = (value ?? []).map((each) => parsed(field, each));
    } else if (value !== undefined) message[name] = parsed(field, value);
    else if (presence === 'zero') message[name] = ZEROS[kind];
  }
  return message;
}

const ZEROS: Readonly<Partial<Record<Kind, unknown>>> = {
  text: '',
  switch: false,
  number: 0,
  bigint: 0n,
  enum: 0,
};

function parsed([name, kind, , type = '']: Field, value: unknown): unknown {
  const result = kind === 'message' ? fromJson(type, value) : scalar(kind, type, value);
  if (result === undefined) throw unexpected(name, value);
  return result;
}

/** Returns undefined for an invalid value. */
function scalar(kind: Kind, type: string, value: unknown): unknown {
  switch (kind) {
    case 'text':
      return typeof value === 'string' ? value : undefined;
    case 'switch':
      return typeof value === 'boolean' ? value : undefined;
    case 'number':
      return Number.isInteger(value) ? value : undefined;
    case 'bigint':
      return /^\d{1,20}$/.test(String(value)) ? BigInt(String(value)) : undefined;
    case 'enum':
      return typeof value === 'string' ? numberOf(type, value) : scalar('number', type, value);
    case 'time':
      return typed(type, typeof value === 'string' ? parseTime(value) : undefined);
    default:
      return typed(type, typeof value === 'string' ? parseDuration(value) : undefined);
  }
}

/** Returns 0 for a value that is newer than this program. */
function numberOf(type: string, name: string): number {
  const numbers = ENUMS[type] ?? {};
  return Object.hasOwn(numbers, name) ? (numbers[name] ?? 0) : 0;
}

function typed(type: string, parts: Parts | undefined): object | undefined {
  return parts && { $typeName: type, ...parts };
}

function fieldsOf(type: string): readonly Field[] {
  const fields = MESSAGES[type];
  if (fields === undefined) throw new Error(`no table for ${type}`);
  return fields;
}

function unexpected(what: string, value: unknown): Error {
  return new Error(`invalid JSON for ${what}: ${JSON.stringify(value)?.slice(0, 100)}`);
}
