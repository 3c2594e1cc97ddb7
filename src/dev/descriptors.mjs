// What the protos of the API say, comments included, as buf reads them.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { fail, ROOT } from './root.mjs';

export const PACKAGE = 'discovery.v1';

/** What each RPC is asked in an example and answers; a test plays them. */
export const EXAMPLES = JSON.parse(readFileSync(join(ROOT, 'src', 'dev', 'api-examples.json'), 'utf8'));

// The numbers of fields in descriptor.proto, by which comments are found.
const PATH = { messageType: 4, enumType: 5, service: 6, part: 2 };

/** The registry of all types, and `declared(field)`: what the API's files declare in that field. */
export function readProtos() {
  const set = readFiles();
  const files = set.file.filter((file) => file.package === PACKAGE);
  return {
    registry: createFileRegistry(set),
    declared: (field) => files.flatMap((file) => withComments(file, field)),
  };
}

/** What a file declares, each with its comment, and those of its parts by their index. */
function withComments(file, field) {
  const comments = new Map(
    file.sourceCodeInfo.location.map((each) => [each.path.join(), each.leadingComments]),
  );
  const commentOf = (...path) =>
    comments.get(path.join()) ?? fail(`${file.name}: no comment at ${path.join()}`);
  return file[field].map((desc, i) => {
    const at = [PATH[field], i];
    return { desc, text: commentOf(...at), textOf: (j) => commentOf(...at, PATH.part, j) };
  });
}

function readFiles() {
  const buf = join(ROOT, 'node_modules', '.bin', 'buf');
  const { status, stdout, stderr, error } = spawnSync(
    buf,
    ['build', '--path', 'proto/discovery', '--output', '-#format=binpb'],
    { cwd: ROOT, shell: process.platform === 'win32', maxBuffer: 16 << 20 },
  );
  if (status !== 0) fail(`buf build: ${error?.message ?? stderr}`);
  return fromBinary(FileDescriptorSetSchema, stdout);
}

/** A comment as it stands, with its paragraphs. */
export function paragraphs(comment) {
  return `${comment.replace(/^[ \t]+|[ \t]+$/gm, '').trim()}\n`;
}
