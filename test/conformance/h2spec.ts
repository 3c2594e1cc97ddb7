import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The result of h2spec: the titles of all cases by their ids, like `http2/3.5/2`. */
export interface Report {
  readonly passed: ReadonlyMap<string, string>;
  readonly failed: ReadonlyMap<string, string>;
}

export interface H2specRun {
  readonly path: string;
  readonly port: number;
  readonly overTls: boolean;
  /** The id of a case. Undefined: all cases. */
  readonly only?: string | undefined;
}

/** Longer than any case takes, because some wait for responses that must not come. */
const CASE_SECONDS = '2';
const RUN_LIMIT_MS = 120_000;
const CASE = /<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;

/** Runs h2spec against a server. */
export async function runH2spec({ path, port, overTls, only }: H2specRun): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'h2spec-'));
  const file = join(folder, 'report.xml');
  const args = ['--strict', '--timeout', CASE_SECONDS, '--port', String(port), '--junit-report', file];
  if (overTls) args.push('--tls', '--insecure');
  if (only !== undefined) args.push(only);
  try {
    // h2spec exits with 1 when a case fails. A missing report fails below.
    await new Promise<void>((resolve) => {
      execFile(path, args, { timeout: RUN_LIMIT_MS, maxBuffer: 16 << 20 }, () => resolve());
    });
    return parseReport(readFileSync(file, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Parses the report, which names the section of each case; the number of a case is its position there. */
function parseReport(xml: string): Report {
  const passed = new Map<string, string>();
  const failed = new Map<string, string>();
  const places = new Map<string, number>();
  for (const [, section = '', title = '', result = ''] of xml.matchAll(CASE)) {
    const place = (places.get(section) ?? 0) + 1;
    places.set(section, place);
    if (result.includes('<skipped')) continue;
    const group = /<(?:failure|error)/.test(result) ? failed : passed;
    group.set(`${section}/${place}`, title);
  }
  return { passed, failed };
}
