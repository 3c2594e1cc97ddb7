/**
 * How many files, sockets included, a process may have open. Node.js raises its soft limit to the hard one when
 * it starts, and so do the processes started here, so the hard one counts.
 */
export function openFilesLimit(): number {
  const report = process.report?.getReport() as { userLimits?: { open_files?: { hard: number | string } } };
  const hard = report.userLimits?.open_files?.hard;
  // "unlimited", or a system without such a limit.
  return typeof hard === 'number' ? hard : Number.POSITIVE_INFINITY;
}
