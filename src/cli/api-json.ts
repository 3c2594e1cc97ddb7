import { type DescMessage, type JsonObject, type MessageShape, toJson } from '@bufbuild/protobuf';

/**
 * A message of the API as programs get it: in protobuf's JSON, with zeros, empty texts and empty lists, so that no
 * field is missing because of its value. Absent are fields with presence alone: a time that there is not.
 */
export function apiJson<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonObject {
  return toJson(schema, message, { alwaysEmitImplicit: true }) as JsonObject;
}
