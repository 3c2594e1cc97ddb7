import { type DescMessage, type JsonObject, type MessageShape, toJson } from '@bufbuild/protobuf';

/**
 * Converts a message to protobuf's JSON, including zeros, empty texts and empty lists, so that no field is
 * missing because of its value. Only unset fields with presence, such as a missing time, are omitted.
 */
export function apiJson<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonObject {
  return toJson(schema, message, { alwaysEmitImplicit: true }) as JsonObject;
}
