import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface ComposeService {
  readonly image: string;
  readonly stop_grace_period?: string;
}

export function composeServices(file: string): Readonly<Record<string, ComposeService>> {
  return (parse(readFileSync(file, 'utf8')) as { services: Readonly<Record<string, ComposeService>> })
    .services;
}
