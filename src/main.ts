#!/usr/bin/env node
import { run } from './cli/run.ts';
import { processTerminal } from './cli/terminal.ts';

// What Node.js will drop one day is for developers: gRPC meets it with an etcd that is named by its address.
process.noDeprecation = true;
process.exitCode = await run(process.argv.slice(2), processTerminal());
