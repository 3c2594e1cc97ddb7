// Writes docs/api.md, the reference of the API, from the comments in proto/discovery and the examples beside this file:
// node src/dev/api-docs.mjs
// With --check it only looks whether the file is what it would write.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromJson } from '@bufbuild/protobuf';
import {
  MethodOptions_IdempotencyLevel as Idempotency,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';
import { EXAMPLES, PACKAGE, paragraphs, readProtos } from './descriptors.mjs';
import { fail, ROOT } from './root.mjs';

const FILE = join(ROOT, 'docs', 'api.md');
const JSON_TYPE = "-H 'Content-Type: application/json'";
/** What an operator shows. */
const CREDENTIALS = { OperatorService: "-H 'Authorization: Bearer SECRET'" };

const INTRODUCTION = `# The API

Made from the comments in [proto/discovery](../proto/discovery/v1) by \`npm run gen\`.

Call \`/${PACKAGE}.DiscoveryService/METHOD\` over Connect, gRPC or gRPC-Web, on HTTP/1.1 or HTTP/2. In JSON, fields are in
lowerCamelCase, 64-bit numbers are strings, times are like \`"2026-01-31T12:00:00Z"\` and durations like \`"3600s"\`; what is
left out of an answer has its type's empty value. A deadline of more than 24 days is taken for none. gRPC-Web is spoken in
binary: generate clients of \`protoc-gen-grpc-web\` with \`mode=grpcweb\`, not \`grpcwebtext\`. [Clients in other
languages](clients.md) begin from the protos, or from the OpenAPI document that the service serves at \`/openapi.json\`. Without
a client:

    curl -H 'Content-Type: application/json' -d '{"size": 3}' http://localhost:8087/${PACKAGE}.DiscoveryService/CreateToken
`;

/** The text of docs/api.md. */
function apiDocs() {
  const { registry, declared } = readProtos();
  const messages = new Map(declared('messageType').map((message) => [message.desc.name, message]));
  const sections = [INTRODUCTION];
  for (const service of declared('service')) sections.push(serviceSection(service, messages, registry));
  // What is left is not of one method alone.
  sections.push('## Messages\n', ...[...messages.values()].map(messageSection));
  sections.push('## Enums\n', ...declared('enumType').map(enumSection));
  return `${sections.join('\n').trimEnd()}\n`;
}

/** A service with its methods. The messages that stand with their method are taken out of `messages`. */
function serviceSection({ desc, text, textOf }, messages, registry) {
  const lines = [`## ${PACKAGE}.${desc.name}\n`, paragraphs(text)];
  for (const [i, method] of desc.method.entries()) {
    const [words, reasons] = textOf(i).split(/\n\s*Reasons: /);
    lines.push(
      `### ${method.name}\n`,
      paragraphs(words.replace(new RegExp(`^ ${method.name} `), ' It ')),
      ...callsSentence(method),
      reasonsLine(method.name, reasons, registry),
      ...exampleLines(desc.name, method, registry),
    );
    for (const [kind, type] of [
      ['Request', method.inputType],
      [method.serverStreaming ? 'Stream of' : 'Response', method.outputType],
    ]) {
      const name = type.split('.').at(-1);
      const message = messages.get(name);
      lines.push(
        `**${kind}: <a id="${name.toLowerCase()}"></a>\`${name}\`.** ${inline(message.text)}\n`,
        table(message),
      );
      messages.delete(name);
    }
  }
  return lines.join('\n');
}

/** Whether it may be called again, and by GET. */
function callsSentence({ options, serverStreaming }) {
  switch (options?.idempotencyLevel) {
    case Idempotency.NO_SIDE_EFFECTS:
      return serverStreaming
        ? []
        : [
            'Changes nothing: it may be called again, by Connect clients by GET too. The URLs of those end in logs: send what has a secret in it by POST.\n',
          ];
    case Idempotency.IDEMPOTENT:
      return ['The same call may be made again when its answer was lost.\n'];
    default:
      return [];
  }
}

/** What a call may be refused for, as the last paragraph of its comment lists it. */
function reasonsLine(method, reasons, registry) {
  if (reasons === undefined) fail(`${method}: its comment does not end with a paragraph "Reasons: ..."`);
  const known = registry.getEnum(`${PACKAGE}.ErrorReason`).values.map(({ name }) => name);
  const listed = reasons.match(/\b[A-Z][A-Z_]+\b/g) ?? [];
  for (const name of listed) {
    if (!known.includes(`ERROR_REASON_${name}`)) fail(`${method}: there is no reason ${name}`);
  }
  const shown = listed.length === 0 ? inline(reasons) : `${listed.map((name) => `\`${name}\``).join(', ')}.`;
  return `**[Reasons](#errorreason):** ${shown}\n`;
}

/** How to call it by hand, and what comes back. Both are messages as the protos have them. */
function exampleLines(service, { name, inputType, outputType, serverStreaming }, registry) {
  const { request, response } = EXAMPLES[name] ?? fail(`src/dev/api-examples.json: no example of ${name}`);
  for (const [type, json] of [
    [inputType, request],
    [outputType, response],
  ]) {
    fromJson(registry.getMessage(type.slice(1)), json, { registry });
  }
  const url = `http://localhost:8087/${PACKAGE}.${service}/${name}`;
  const headers = [JSON_TYPE, CREDENTIALS[service]].filter(Boolean).join(' ');
  const data = `-d '${JSON.stringify(request)}'`;
  const line = serverStreaming
    ? `buf curl --http2-prior-knowledge ${data} \\\n  ${url}`
    : `curl ${headers} ${data} \\\n  ${url}`;
  return ['```sh', line, '```\n', '```json', JSON.stringify(response, undefined, 2), '```\n'];
}

function messageSection(message) {
  return [`### ${message.desc.name}\n`, paragraphs(message.text), table(message)].join('\n');
}

function table({ desc, textOf }) {
  const rows = desc.field.map(
    (field, i) => `| \`${field.name}\` | ${typeOf(field)} | ${inline(textOf(i))}${oneofOf(desc, field)} |`,
  );
  return ['| Field | Type | |', '|---|---|---|', ...rows, ''].join('\n');
}

function oneofOf(desc, field) {
  const isOneof = Object.hasOwn(field, 'oneofIndex') && !field.proto3Optional;
  return isOneof ? ` One of \`${desc.oneofDecl[field.oneofIndex].name}\`.` : '';
}

function typeOf({ type, typeName, label, proto3Optional }) {
  const base = type === Type.MESSAGE || type === Type.ENUM ? reference(typeName) : Type[type].toLowerCase();
  if (label === Label.REPEATED) return `list of ${base}`;
  return proto3Optional ? `${base}, may be unset` : base;
}

function reference(typeName) {
  const name = typeName.split('.').at(-1);
  return typeName.startsWith(`.${PACKAGE}.`) ? `[${name}](#${name.toLowerCase()})` : name.toLowerCase();
}

function enumSection({ desc, text, textOf }) {
  const rows = desc.value.map(({ name, number }, i) => `| \`${name}\` | ${number} | ${inline(textOf(i))} |`);
  return [`### ${desc.name}\n`, paragraphs(text), '| Value | Number | |', '|---|---|---|', ...rows, ''].join(
    '\n',
  );
}

/** A comment in one line, for a table's cell. */
function inline(comment) {
  return comment.replaceAll('|', '\\|').replace(/\s+/g, ' ').trim();
}

const text = apiDocs();
if (!process.argv.includes('--check')) writeFileSync(FILE, text);
else if (readFileSync(FILE, 'utf8') !== text)
  fail('docs/api.md is not what the protos give. Run: npm run gen');
