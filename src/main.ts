#!/usr/bin/env node
import { run } from './cli/run.ts';
import { processTerminal } from './cli/terminal.ts';

// Deprecations in Node.js concern developers: gRPC triggers one for an etcd that is named by its IP address.
process.noDeprecation = true;
// Without a top-level await, which a CommonJS module cannot have: see bundle-program.mjs.
void run(process.argv.slice(2), processTerminal()).then((code) => {
  process.exitCode = code;
});
