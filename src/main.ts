#!/usr/bin/env node
import { run } from './cli/run.ts';
import { processTerminal } from './cli/terminal.ts';

// Deprecations in Node.js concern developers: gRPC triggers one for an etcd that is named by its IP address.
process.noDeprecation = true;
process.exitCode = await run(process.argv.slice(2), processTerminal());
