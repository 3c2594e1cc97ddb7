// Writes the reference of the API, docs/reference/api.md and the pages below docs/reference/api, from the comments in
// proto/discovery and api-examples.json: node src/dev/api-docs.mjs
// With --check it only checks that the files are up to date.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { fromJson } from '@bufbuild/protobuf';
import {
  MethodOptions_IdempotencyLevel as Idempotency,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';
import { EXAMPLES, PACKAGE, paragraphs, readProtos } from './descriptors.mjs';
import { fail, ROOT } from './root.mjs';

const INDEX = 'docs/reference/api.md';
const FOLDER = 'docs/reference/api';
const JSON_TYPE = "-H 'Content-Type: application/json'";
/** The credentials of an operator in examples. */
const CREDENTIALS = { OperatorService: "-H 'Authorization: Bearer SECRET'" };

const INTRODUCTION = `# The API

Generated from the comments in [proto/discovery](../../proto/discovery/v1) by \`npm run gen\`.

Call \`/${PACKAGE}.DiscoveryService/METHOD\` over Connect, gRPC or gRPC-Web, on HTTP/1.1 or HTTP/2. In JSON, field names are in
lowerCamelCase, 64-bit numbers are strings, times are written like \`"2026-01-31T12:00:00Z"\` and durations like \`"3600s"\`. A field
that a response leaves out has the empty value of its type. A deadline of more than 24 days is ignored. gRPC-Web is supported in
binary: generate clients of \`protoc-gen-grpc-web\` with \`mode=grpcweb\`, not \`grpcwebtext\`.

Generate a client from the protos, or from the OpenAPI document that the service serves at \`/openapi.json\`. Without a client:

    curl -H 'Content-Type: application/json' -d '{"size": 3}' http://localhost:8087/${PACKAGE}.DiscoveryService/CreateToken

A rejected call has a reason: see [Errors](errors.md). The guides show how to call the API from [TypeScript](../guides/typescript-client.md),
[Go and Python](../guides/go-and-python.md) and [other languages](../guides/other-clients.md). Types that belong to more than one
method are in [Messages](api/messages.md) and [Enums](api/enums.md).
`;

/** Returns the text of every page by its path. */
function apiDocs() {
  const { registry, declared } = readProtos();
  const messages = new Map(declared('messageType').map((message) => [message.desc.name, message]));
  const pages = new Map([[INDEX, [INTRODUCTION]]]);
  for (const service of declared('service')) {
    pages.get(INDEX).push(serviceIndex(service));
    for (const [name, text] of methodPages(service, messages, registry)) pages.set(pageOf(name), [text]);
  }
  // The remaining messages belong to several methods.
  pages.set(pageOf('Messages'), ['# Messages\n', ...[...messages.values()].map(messageSection)]);
  pages.set(pageOf('Enums'), ['# Enums\n', ...declared('enumType').map(enumSection)]);
  return linked(new Map([...pages].map(([path, parts]) => [path, `${parts.join('\n').trimEnd()}\n`])));
}

/** Returns the path of a page: docs/reference/api/create-token.md for CreateToken. */
function pageOf(name) {
  return join(FOLDER, `${name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}.md`);
}

/** Makes each link to a type lead to the page that describes the type. */
function linked(pages) {
  const places = new Map();
  for (const [path, text] of pages) {
    for (const [, written, heading] of text.matchAll(/<a id="(\w+)">|^## (\w+)$/gm)) {
      places.set(written ?? heading.toLowerCase(), path);
    }
  }
  const lead = (path, anchor) => {
    const place = places.get(anchor) ?? fail(`${path}: unknown type ${anchor}`);
    if (place === path) return `](#${anchor})`;
    return `](${dirname(path) === FOLDER ? '' : 'api/'}${place.slice(FOLDER.length + 1)}#${anchor})`;
  };
  return new Map(
    [...pages].map(([path, text]) => [
      path,
      text.replace(/\]\(#(\w+)\)/g, (_, anchor) => lead(path, anchor)),
    ]),
  );
}

/** Returns a service with a row for each method: the first sentence of its comment. */
function serviceIndex({ desc, text, textOf }) {
  const rows = desc.method.map(({ name }, i) => {
    const [sentence] = inline(textOf(i)).split(/(?<=\.) /);
    return `| [\`${name}\`](${pageOf(name).slice(dirname(INDEX).length + 1)}) | ${sentence} |`;
  });
  return [`## ${PACKAGE}.${desc.name}\n`, paragraphs(text), '| Method | |', '|---|---|', ...rows, ''].join(
    '\n',
  );
}

/** Yields a page for each method. Removes the messages that are shown with their method from `messages`. */
function* methodPages({ desc, textOf }, messages, registry) {
  for (const [i, method] of desc.method.entries()) {
    const [words, reasons] = textOf(i).split(/\n\s*Reasons: /);
    const lines = [
      `# ${method.name}\n`,
      `A method of [${PACKAGE}.${desc.name}](../api.md).\n`,
      paragraphs(words.replace(new RegExp(`^ ${method.name} `), ' It ')),
      ...callsSentence(method),
      reasonsLine(method.name, reasons, registry),
      ...exampleLines(desc.name, method, registry),
    ];
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
    yield [method.name, lines.join('\n')];
  }
}

/** Says whether the call may be repeated, and made by GET. */
function callsSentence({ options, serverStreaming }) {
  switch (options?.idempotencyLevel) {
    case Idempotency.NO_SIDE_EFFECTS:
      return serverStreaming
        ? []
        : [
            'Read-only and safe to repeat. Connect clients may also use GET, but URLs appear in logs: send requests with a secret by POST.\n',
          ];
    case Idempotency.IDEMPOTENT:
      return ['Idempotent: safe to retry when the response was lost.\n'];
    default:
      return [];
  }
}

/** Returns the reasons for which a call may be rejected, from the last paragraph of its comment. */
function reasonsLine(method, reasons, registry) {
  if (reasons === undefined) fail(`${method}: its comment does not end with a paragraph "Reasons: ..."`);
  const known = registry.getEnum(`${PACKAGE}.ErrorReason`).values.map(({ name }) => name);
  const listed = reasons.match(/\b[A-Z][A-Z_]+\b/g) ?? [];
  for (const name of listed) {
    if (!known.includes(`ERROR_REASON_${name}`)) fail(`${method}: unknown reason ${name}`);
  }
  const shown = listed.length === 0 ? inline(reasons) : `${listed.map((name) => `\`${name}\``).join(', ')}.`;
  return `**[Reasons](#errorreason):** ${shown}\n`;
}

/** Returns how to make the call by hand, and its response. Both must be valid messages of the protos. */
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
  return [`## ${message.desc.name}\n`, paragraphs(message.text), table(message)].join('\n');
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
  return [`## ${desc.name}\n`, paragraphs(text), '| Value | Number | |', '|---|---|---|', ...rows, ''].join(
    '\n',
  );
}

/** Returns a comment on one line, for the cell of a table. */
function inline(comment) {
  return comment.replaceAll('|', '\\|').replace(/\s+/g, ' ').trim();
}

const pages = apiDocs();
process.chdir(ROOT);
mkdirSync(FOLDER, { recursive: true });
const others = readdirSync(FOLDER)
  .map((name) => join(FOLDER, name))
  .filter((path) => !pages.has(path));
if (!process.argv.includes('--check')) {
  for (const path of others) rmSync(path);
  for (const [path, text] of pages) writeFileSync(path, text);
} else {
  const stale = [...pages].filter(([path, text]) => readIfThere(path) !== text).map(([path]) => path);
  if (stale.length + others.length > 0) {
    fail(`Outdated: ${[...stale, ...others].join(', ')}. Run: npm run gen`);
  }
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
