/** Whether this is a long run (`npm test -- --slow`): more histories, more kills, more sizes. */
export const slow: boolean = process.env['ETCD_DISCOVERY_TEST_SLOW'] === '1';

export const ONLY_IN_LONG_RUNS = 'only in a long run: npm test -- --slow';
/** Why a test is skipped that only long runs include, if so. */
export const onlyInLongRuns: string | false = !slow && ONLY_IN_LONG_RUNS;
