// Writes gen/openapi.json, the API in Connect's JSON format as OpenAPI 3.1, from the protos and their comments:
// node src/dev/openapi.mjs [FILE]

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import { EXAMPLES, PACKAGE, paragraphs, readProtos } from './descriptors.mjs';
import { jsonSchema, refTo } from './json-schema.mjs';
import { fail, ROOT } from './root.mjs';

const JSON_TYPE = 'application/json';
const STREAM_TYPE = 'application/connect+json';
const DESCRIPTION = `Every call is a POST of JSON. A field that is missing from a response has the empty value of its type. Later versions
may add fields and enum values. An error has one of Connect's codes, a message for people, and a \`${PACKAGE}.ErrorDetail\` with the reason.
A token may be written as \`TOKEN:SECRET\`.`;
const ENVELOPES =
  'A sequence of messages, each in an envelope: one byte of flags, four bytes of length (big-endian), and that many bytes of JSON. Flag 2 marks the last envelope, which contains an error or nothing.';
/** Connect's codes, in the order of gRPC's numbers. */
const CODES = `canceled unknown invalid_argument deadline_exceeded not_found already_exists permission_denied
  resource_exhausted failed_precondition aborted out_of_range unimplemented internal unavailable data_loss
  unauthenticated`.split(/\s+/);
const ANYONE = {};
const KNOWN = [{ basic: [] }, { bearer: [] }, { certificate: [] }];

function openapi() {
  const { registry, declared } = readProtos();
  const services = declared('service');
  const paths = Object.fromEntries(
    services.flatMap(({ desc, textOf }) =>
      desc.method.map((method, i) => [
        `/${PACKAGE}.${desc.name}/${method.name}`,
        { post: operation(desc.name, method, textOf(i)) },
      ]),
    ),
  );
  const schemas = [
    ...declared('messageType').map((message) => [message.desc.name, messageSchema(message, registry)]),
    ...declared('enumType').map(({ desc, text, textOf }) => [desc.name, enumSchema(desc, text, textOf)]),
  ];
  return {
    openapi: '3.1.0',
    info: { title: 'etcd-discovery', version: 'v1', description: DESCRIPTION },
    // The service replaces it with the URL by which the client reaches it.
    servers: [{ url: 'http://localhost:8087' }],
    tags: services.map(({ desc, text }) => ({ name: desc.name, description: words(text) })),
    security: [ANYONE, ...KNOWN],
    paths,
    components: {
      schemas: { ...Object.fromEntries(schemas), ...errorSchemas() },
      responses: {
        Refused: {
          description: 'The call failed.',
          content: { [JSON_TYPE]: { schema: refTo('ConnectError') } },
        },
      },
      parameters: {
        Timeout: {
          name: 'Connect-Timeout-Ms',
          in: 'header',
          description: 'The deadline of the call, in milliseconds from now.',
          schema: { type: 'integer', minimum: 0, maximum: 9_999_999_999 },
        },
      },
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        bearer: { type: 'http', scheme: 'bearer' },
        certificate: { type: 'mutualTLS' },
      },
    },
  };
}

function operation(service, { name, inputType, outputType, serverStreaming, options }, text) {
  const { request, response } = EXAMPLES[name] ?? fail(`src/dev/api-examples.json: no example of ${name}`);
  const content = (type, example) => {
    const schema = refTo(type.split('.').at(-1));
    if (!serverStreaming) return { [JSON_TYPE]: { schema, example } };
    const stream = { type: 'string', description: ENVELOPES, contentMediaType: STREAM_TYPE };
    return { [STREAM_TYPE]: { schema: { ...stream, contentSchema: schema } } };
  };
  const repeatable = (options?.idempotencyLevel ?? Idempotency.IDEMPOTENCY_UNKNOWN) !== 0;
  const description = words(text) + (repeatable ? '\n\nSafe to repeat.' : '');
  return {
    operationId: `${service}_${name}`,
    tags: [service],
    summary: words(text).split(/\.\s/)[0].replaceAll('\n', ' '),
    description,
    ...(service === 'OperatorService' ? { security: KNOWN } : {}),
    parameters: [{ $ref: '#/components/parameters/Timeout' }],
    requestBody: { required: true, content: content(inputType, request) },
    responses: {
      200: {
        // In a stream the last envelope contains it.
        description: serverStreaming
          ? 'The messages, followed by an error if the call failed.'
          : 'The response.',
        content: content(outputType, response),
      },
      default: { $ref: '#/components/responses/Refused' },
    },
  };
}

function messageSchema({ desc, text, textOf }, registry) {
  const message = registry.getMessage(`${PACKAGE}.${desc.name}`);
  return { description: words(text), ...jsonSchema(message, (i) => words(textOf(i))) };
}

/** Returns the names with their meanings. */
function enumSchema({ value }, text, textOf) {
  const meanings = value.map(({ name }, i) => `- \`${name}\`: ${words(textOf(i)).replaceAll('\n', ' ')}`);
  return {
    type: 'string',
    description: `${words(text)}\n\n${meanings.join('\n')}`,
    enum: value.map(({ name }) => name),
  };
}

function errorSchemas() {
  const value = { type: 'string', description: 'The binary message in base64 without padding.' };
  const type = {
    type: 'string',
    description: `The name of the message type, such as \`${PACKAGE}.ErrorDetail\`.`,
  };
  const debug = {
    description: 'The message as JSON, for readers without protobuf.',
    anyOf: [refTo('ErrorDetail'), { type: 'object' }],
  };
  return {
    ConnectError: {
      type: 'object',
      description: 'The reason why a call failed.',
      required: ['code'],
      properties: {
        code: { type: 'string', enum: CODES },
        message: { type: 'string', description: 'A message for people. Its wording may change.' },
        details: { type: 'array', items: refTo('ConnectErrorDetail') },
      },
    },
    ConnectErrorDetail: {
      type: 'object',
      description: 'A detail of the error.',
      required: ['type', 'value'],
      properties: { type, value, debug },
    },
  };
}

function words(comment) {
  return paragraphs(comment).trim();
}

const file = resolve(process.argv[2] ?? join(ROOT, 'gen', 'openapi.json'));
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(openapi(), undefined, 1)}\n`);
