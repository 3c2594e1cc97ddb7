// Reads the API's protos with their comments, using buf.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { fail, ROOT } from './root.mjs';

export const PACKAGE = 'discovery.v1';

/** The example request and response of each RPC, which a test plays. */
export const EXAMPLES = JSON.parse(readFileSync(join(ROOT, 'src', 'dev', 'api-examples.json'), 'utf8'));

// The field numbers in descriptor.proto, by which comments are located.
const PATH = { messageType: 4, enumType: 5, service: 6, part: 2 };

/** Returns the registry of all types, and `declared(field)`, which returns the declarations in a field of the API's files. */
export function readProtos() {
  const set = readFiles();
  const files = set.file.filter((file) => file.package === PACKAGE);
  return {
    registry: createFileRegistry(set),
    declared: (field) => files.flatMap((file) => withComments(file, field)),
  };
}

/** Returns the declarations of a file with their comments, and the comments of their parts by index. */
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

/** Returns a comment unchanged, with its paragraphs. */
export function paragraphs(comment) {
  return `${comment.replace(/^[ \t]+|[ \t]+$/gm, '').trim()}\n`;
}
