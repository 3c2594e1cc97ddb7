import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Service {
  readonly image: string;
  readonly stop_grace_period?: string;
}

export function composeServices(file: string): Readonly<Record<string, Service>> {
  return (parse(readFileSync(file, 'utf8')) as { services: Readonly<Record<string, Service>> }).services;
}
