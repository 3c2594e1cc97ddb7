// The baseline of a start: loads the modules that the service loads, and answers on a port. Run with the port.

import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const PARTS = new URL('../../src/parts/', import.meta.url);

function isOfServe(file: string): boolean {
  return file.startsWith('run-') && readFileSync(new URL(file, PARTS), 'utf8').includes('runService');
}

const part = readdirSync(PARTS).find(isOfServe);
if (part === undefined) throw new Error('no part of the program has the service');
await import(new URL(part, PARTS).href);
await import('lmdb');
createServer((_, response) => response.end('OK')).listen(Number(process.argv[2]), '127.0.0.1');
