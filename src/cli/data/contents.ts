import type { Contents } from '../../store/lmdb/care/records.ts';
import { counted } from '../../values/counted.ts';
import { type Report, tokens } from './report.ts';

/** Done is the result of a command, as lines for people and fields for programs, and the contents of the data. */
interface Done {
  readonly lines: readonly string[];
  readonly fields: object;
  readonly contents: Contents;
}

/** Reports the result of some work unless it fails. With problems the exit code is 1. */
export async function reportContents(report: Report, work: () => Promise<Done>): Promise<number> {
  try {
    const { lines, fields, contents } = await work();
    const { clusters, members, events, revision, problems } = contents;
    for (const problem of problems) report.problem(problem);
    const found = counted(problems.length, 'problem');
    const state = problems.length === 0 ? 'no problems found' : `${found} found`;
    const counts = `${tokens(clusters, members)} and ${counted(events, 'event')}, up to revision ${revision}: ${state}`;
    report.result([...lines, counts], { ...fields, tokens: clusters, members, events, revision });
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    return report.failed(error);
  }
}
