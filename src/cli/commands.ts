import type { Command } from './command.ts';
import { SERVE } from './serve.ts';

/** Every command. A new one is a file of its own and a row here. */
export const COMMANDS: readonly Command[] = [SERVE];
